import { encodeFrame, type FrameHead } from './frame.ts'

/** An encoded frame, the number of its first record, and the same frame so many bytes behind the beginning of its write. */
export type NumberedFrame = { first: number; bytes: Buffer; at(back: number): NumberedFrame }

export const numberedFrame = (head: FrameHead, lines: readonly string[], back: number): NumberedFrame => ({
  first: head.first,
  bytes: encodeFrame(back > 0 ? { ...head, back } : head, lines),
  at: (other) => numberedFrame(head, lines, other),
})

/** One write of `head` and `frames`, which were a write of their own. */
export function behind(head: NumberedFrame, frames: readonly NumberedFrame[]): NumberedFrame[] {
  let back = head.bytes.length
  const moved = frames.map((frame) => {
    const one = frame.at(back)
    back += one.bytes.length
    return one
  })
  return [head, ...moved]
}

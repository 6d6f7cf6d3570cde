/**
 * A file that grows is told to the file system's journal with each fsync, which writes three times as much as the record: on
 * a card of an idle box nearly all. So small appends go into space that was laid out before and made durable once:
 *
 *   frame frame frame ff ff ff ff ff ff ff ff 00 00 00 ... 00
 *                     `--- mark ------------' up to a multiple of 16 kB
 *
 * The mark, where the next frame goes, reads as the head of a frame that runs past the end: to every version that is a
 * frame that was never finished, and is cut.
 */
const stepBytes = 16_384
/** Larger appends come of many at once: there the journal's share is small. */
const smallBytes = 4_096
const mark = Buffer.alloc(8, 0xff)
const sectorBytes = 512

/** What is to be written at `at` for `whole`, in a file that is laid out up to `laid`, and up to where it is then. */
export function laidOut(whole: Buffer, at: number, laid: number): { bytes: Buffer; end: number } {
  const end = at + whole.length
  if (end + mark.length <= laid) return { bytes: Buffer.concat([whole, mark]), end: laid }
  // The last bytes of what is laid out, too few for a mark, are no frame either.
  if (end <= laid) return { bytes: Buffer.concat([whole, Buffer.alloc(laid - end)]), end: laid }
  if (whole.length > smallBytes) return { bytes: whole, end: 0 }
  const next = Math.ceil((end + mark.length) / stepBytes) * stepBytes
  const bytes = Buffer.alloc(next - at)
  whole.copy(bytes)
  mark.copy(bytes, whole.length)
  return { bytes, end: next }
}

/**
 * Whether the frame in `bytes` from `from` to `to` shows what was laid out before it: power went while it was written. No
 * text of ours holds such bytes; a disk writes sectors whole.
 */
export function neverWhole(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; ) {
    const end = Math.min(to, (Math.floor(at / sectorBytes) + 1) * sectorBytes)
    const sector = bytes.subarray(at, end)
    if (sector.length > 1 && sector.every((byte) => byte === 0)) return true
    at = end
  }
  return false
}

/** Where the text that begins at `from` ends: at what is laid out, or with the file. */
export function textEnd(bytes: Buffer, from: number): number {
  const found = [bytes.indexOf(mark, from), bytes.indexOf(0, from)].filter((at) => at >= 0)
  return Math.min(bytes.length, ...found)
}

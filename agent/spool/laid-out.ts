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
 * The first sector of the frame in `bytes` from `from` to `to` that shows what was laid out before it: power went while
 * it was written. There are at most a mark, or its end, and zeros up to the end of the sector; no text of ours holds such
 * bytes, and a disk writes sectors whole.
 */
export function firstUnwritten(bytes: Buffer, from: number, to: number): number | undefined {
  for (let at = from; at < to; ) {
    const end = Math.min(bytes.length, (Math.floor(at / sectorBytes) + 1) * sectorBytes)
    // A single byte at the end of the file may be damaged as well.
    if ((end - at > 1 || at === from) && isLaidOut(bytes.subarray(at, end))) return at
    at = end
  }
  return undefined
}

function isLaidOut(sector: Buffer): boolean {
  const zeros = sector.findIndex((byte) => byte !== 0xff)
  return zeros < 0 ? sector.length <= mark.length : zeros <= mark.length && sector.subarray(zeros).every((b) => b === 0)
}

/** Whether the mark stands at `at`: nothing was written there, nor behind it. */
export const isMark = (bytes: Buffer, at: number): boolean => bytes.subarray(at, at + mark.length).equals(mark)

/** Where the text that begins at `from` ends: at what is laid out, or with the file. */
export function textEnd(bytes: Buffer, from: number): number {
  const found = [bytes.indexOf(mark, from), bytes.indexOf(0, from)].filter((at) => at >= 0)
  return Math.min(bytes.length, ...found)
}

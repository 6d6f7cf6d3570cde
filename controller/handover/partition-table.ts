import { crc32 } from 'node:zlib'

/** In bytes. `type` is GPT's GUID in capitals, or MBR's byte as two hexadecimal digits. */
export type Partition = { start: number; bytes: number; type: string; name?: string }
export type Table = { kind: 'gpt' | 'mbr'; partitions: Partition[] }
export type ReadAt = (offset: number, bytes: number) => Promise<Buffer>

/** Why an image has no table that can be relied on, in words. */
export class TableUnusable extends Error {}

const sector = 512
const protective = 0xee
const extended = new Set([0x05, 0x0f, 0x85])
const mostLogical = 60
const mostEntryBytes = 1 << 20

/**
 * The partitions of a disk image of `size` bytes, by GPT (UEFI 2.10, 5.3) or plain MBR; checked against the table's own sums
 * and the image's end, so that a cut or altered image is not written into. Throws TableUnusable.
 */
export async function readTable(read: ReadAt, size: number): Promise<Table> {
  if (size < 2 * sector) throw new TableUnusable(`it has ${size} bytes and no partition table`)
  const first = await read(0, sector)
  if (first.readUInt16LE(510) !== 0xaa55) throw new TableUnusable('it has no partition table')
  const primary = entriesOf(first)
  const isGpt = primary.some(({ type }) => type === protective)
  const partitions = isGpt ? await gptPartitions(read, size) : await mbrPartitions(read, primary)
  if (partitions.length === 0) throw new TableUnusable('its partition table is empty')
  for (const { start, bytes } of partitions)
    if (start + bytes > size)
      throw new TableUnusable(`it is cut off: a partition ends at byte ${start + bytes}, the file at ${size}`)
  return { kind: isGpt ? 'gpt' : 'mbr', partitions }
}

type MbrEntry = { type: number; start: number; count: number }

function entriesOf(block: Buffer): MbrEntry[] {
  return [446, 462, 478, 494]
    .map((at) => ({ type: block[at + 4] ?? 0, start: block.readUInt32LE(at + 8), count: block.readUInt32LE(at + 12) }))
    .filter(({ type, count }) => type !== 0 && count > 0)
}

const toPartition = ({ type, start, count }: MbrEntry): Partition => ({
  start: start * sector,
  bytes: count * sector,
  type: type.toString(16).padStart(2, '0'),
})

/** Logical ones hang in a chain: each link holds one, and where the next link is, seen from the first. */
async function mbrPartitions(read: ReadAt, primary: readonly MbrEntry[]): Promise<Partition[]> {
  const found = primary.filter(({ type }) => !extended.has(type)).map(toPartition)
  const outer = primary.find(({ type }) => extended.has(type))
  if (!outer) return found
  let link: number | undefined = outer.start
  for (let i = 0; link !== undefined && i < mostLogical; i++) {
    const entries = entriesOf(await read(link * sector, sector))
    const own = entries.find(({ type }) => !extended.has(type))
    if (own) found.push(toPartition({ ...own, start: own.start + link }))
    const next = entries.find(({ type }) => extended.has(type))
    link = next && outer.start + next.start
  }
  return found
}

async function gptPartitions(read: ReadAt, size: number): Promise<Partition[]> {
  const header = await read(sector, sector)
  if (header.toString('latin1', 0, 8) !== 'EFI PART') throw new TableUnusable('its GPT has no header')
  const headerBytes = header.readUInt32LE(12)
  if (headerBytes < 92 || headerBytes > sector) throw new TableUnusable('the header of its GPT is damaged')
  const summed = Buffer.from(header.subarray(0, headerBytes))
  summed.writeUInt32LE(0, 16)
  if (crc32(summed) !== header.readUInt32LE(16)) throw new TableUnusable('the header of its GPT is damaged')
  const backup = Number(header.readBigUInt64LE(32)) * sector
  if (backup + sector > size)
    throw new TableUnusable(`it is cut off: it should reach beyond byte ${backup + sector}, and ends at ${size}`)
  const [count, bytes] = [header.readUInt32LE(80), header.readUInt32LE(84)]
  if (bytes < 128 || count * bytes > mostEntryBytes) throw new TableUnusable('the header of its GPT is damaged')
  const entries = await read(Number(header.readBigUInt64LE(72)) * sector, count * bytes)
  if (crc32(entries) !== header.readUInt32LE(88)) throw new TableUnusable('the entries of its GPT are damaged')
  const found: Partition[] = []
  for (let at = 0; at < entries.length; at += bytes) {
    const type = guidOf(entries.subarray(at, at + 16))
    if (/^[0-]+$/.test(type)) continue
    const [start, last] = [entries.readBigUInt64LE(at + 32), entries.readBigUInt64LE(at + 40)].map(Number)
    if (start === undefined || last === undefined || last < start)
      throw new TableUnusable('a partition ends before it begins')
    const name = entries.toString('utf16le', at + 56, at + 128).replace(/\0.*$/s, '')
    found.push({ start: start * sector, bytes: (last - start + 1) * sector, type, name })
  }
  return found
}

/** The first three parts stand in little endian. */
function guidOf(raw: Buffer): string {
  const hex = (part: Buffer) => part.toString('hex').toUpperCase()
  const turned = (from: number, to: number) => hex(Buffer.from(raw.subarray(from, to)).reverse())
  return [turned(0, 4), turned(4, 6), turned(6, 8), hex(raw.subarray(8, 10)), hex(raw.subarray(10, 16))].join('-')
}

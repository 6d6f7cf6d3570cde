import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { makePcapReader, type Packet, packetHeadBytes } from './pcap.ts'
import { type RingFile, readPieces, ringFiles } from './ring-files.ts'

export type Extracted = { sha256: string; bytes: number; packets: number; from: number; to: number; leftOut: number }

/** Microseconds, whole packets, Ethernet; as tcpdump writes it (draft-ietf-opsawg-pcap). */
function captureHead(): Buffer {
  const head = Buffer.alloc(24)
  head.writeUInt32LE(0xa1b2c3d4, 0)
  head.writeUInt16LE(2, 4)
  head.writeUInt16LE(4, 6)
  head.writeUInt32LE(65_535, 16)
  head.writeUInt32LE(1, 20)
  return head
}

function recordOf({ at, length, frame }: Packet): Buffer {
  const record = Buffer.allocUnsafe(packetHeadBytes + frame.length)
  const seconds = Math.floor(at / 1000)
  record.writeUInt32LE(seconds, 0)
  record.writeUInt32LE(Math.min(999_999, Math.round((at - seconds * 1000) * 1000)), 4)
  record.writeUInt32LE(frame.length, 8)
  record.writeUInt32LE(length, 12)
  frame.copy(record, packetHeadBytes)
  return record
}

/**
 * The packets of a ring between two times, as one capture file at `path`; of more than `most` bytes the newest. Reads in
 * pieces, twice. Undefined where there is none.
 */
export async function extract(
  folder: string,
  range: { from: number; to: number; most: number },
  path: string,
): Promise<Extracted | undefined> {
  const files = (await ringFiles(folder)).filter((file) => file.from <= range.to + slackMs && file.to >= range.from)
  const isMeant = ({ at }: Packet) => at >= range.from && at <= range.to
  let [bytes, count] = [captureHead().length, 0]
  await each(files, (packet) => {
    if (!isMeant(packet)) return
    count++
    bytes += packetHeadBytes + packet.frame.length
  })
  if (count === 0) return undefined
  let over = Math.max(0, bytes - range.most)
  const told = { packets: 0, leftOut: 0, from: Number.POSITIVE_INFINITY, to: 0, bytes: 0 }
  const hash = createHash('sha256')
  const out = await open(path, 'w', 0o600)
  let pending: Buffer[] = [captureHead()]
  try {
    await each(
      files,
      (packet) => {
        // What came since the first reading is not counted: it stays out, as if asked for a moment earlier.
        if (!isMeant(packet) || told.packets + told.leftOut >= count) return
        if (over > 0) {
          over -= packetHeadBytes + packet.frame.length
          told.leftOut++
          return
        }
        told.packets++
        told.from = Math.min(told.from, packet.at)
        told.to = Math.max(told.to, packet.at)
        pending.push(recordOf(packet))
      },
      async () => {
        told.bytes += await flush(out, hash, pending)
        pending = []
      },
    )
  } finally {
    await out.close()
  }
  return told.packets === 0 ? undefined : { ...told, sha256: hash.digest('hex') }
}

/** A file is named a moment after its first packet came. */
const slackMs = 5000

async function each(
  files: readonly RingFile[],
  onPacket: (packet: Packet) => void,
  afterPiece: () => Promise<void> = async () => undefined,
): Promise<void> {
  for (const { path } of files) {
    const reader = makePcapReader(onPacket)
    const push = (piece: Buffer) => {
      reader.push(piece)
      return afterPiece()
    }
    // One that was dropped meanwhile is too old.
    await readPieces(path, { push }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
}

async function flush(out: FileHandle, hash: ReturnType<typeof createHash>, some: Buffer[]): Promise<number> {
  const bytes = Buffer.concat(some)
  hash.update(bytes)
  await out.writeFile(bytes)
  return bytes.length
}

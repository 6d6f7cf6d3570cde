import { open, readdir, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { fileHeadBytes, makePcapReader } from './pcap.ts'

/** A file of a ring. It is named by the time it was begun at; `to`: when it was last written to. Milliseconds. */
export type RingFile = { path: string; from: number; to: number; bytes: number }

const form = /^(\d{13})\.pcap$/
const pieceBytes = 262_144

export const ringPath = (folder: string, from: number): string => join(folder, `${from}.pcap`)

/** The files of a ring, oldest first; none where there is no ring. */
export async function ringFiles(folder: string): Promise<RingFile[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const files: RingFile[] = []
  for (const name of names.sort()) {
    const from = Number(form.exec(name)?.[1])
    if (Number.isNaN(from)) continue
    const path = join(folder, name)
    const seen = await stat(path).catch(() => undefined)
    if (seen?.isFile()) files.push({ path, from, to: seen.mtimeMs, bytes: seen.size })
  }
  return files
}

/** Which files go so that no more than `bytes` stay, with `needed` more to come, and none that ended before `oldest`. Pure. */
export function tooMany(files: readonly RingFile[], bytes: number, needed: number, oldest: number): RingFile[] {
  let left = files.reduce((sum, file) => sum + file.bytes, 0) + needed
  return files.filter((file) => {
    const goes = file.to < oldest || left > bytes
    if (goes) left -= file.bytes
    return goes
  })
}

/** Calls back for each piece of whole packets, after the head. Reads in bounded pieces; what is cut at the end is left out. */
export async function readPieces(
  path: string,
  reader: { push(piece: Buffer): unknown },
  signal?: AbortSignal,
): Promise<void> {
  const file = await open(path, 'r')
  try {
    const piece = Buffer.alloc(pieceBytes)
    for (let at = 0; ; ) {
      signal?.throwIfAborted()
      const { bytesRead } = await file.read(piece, 0, pieceBytes, at)
      if (bytesRead === 0) return
      // The reader may keep the rest of a piece, which the next read would overwrite.
      await reader.push(Buffer.from(piece.subarray(0, bytesRead)))
      at += bytesRead
    }
  } finally {
    await file.close()
  }
}

/** Cuts what a crash left unfinished at a file's end; a file that is no capture goes. True where something was done. */
export async function mend({ path, bytes }: RingFile): Promise<boolean> {
  let whole = 0
  const reader = makePcapReader(
    () => undefined,
    (some) => {
      whole += some.length
    },
  )
  try {
    await readPieces(path, reader)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
  }
  if (whole === bytes && whole > fileHeadBytes) return false
  if (whole <= fileHeadBytes) await rm(path, { force: true })
  else await truncate(path, whole)
  return true
}

import { open } from 'node:fs/promises'
import { type Clock, isoNow } from '../../shared/clock.ts'
import type { FilePart } from '../../shared/schemas/event.ts'
import type { Spool } from './port.ts'

const partBytes = 48_000
const partsAtOnce = 8
/** Parts that wait in the spool: what is fetched must not push out what nobody can fetch again. */
const mostWaiting = 48
const paceMs = 50

export const partsOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / partBytes))

/** Sends a file up as parts, no faster than they are taken. Throws the signal's reason when it is given up. */
export async function sendFile(
  deps: { spool: Pick<Spool, 'append' | 'standing'>; clock: Clock },
  path: string,
  of: Pick<FilePart, 'decoy' | 'kind' | 'sha256'> & { bytes: number },
  signal: AbortSignal,
): Promise<void> {
  const parts = partsOf(of.bytes)
  const head = { type: 'file' as const, at: isoNow(deps.clock), decoy: of.decoy, kind: of.kind }
  const file = await open(path, 'r')
  try {
    for (let first = 0; first < parts; first += partsAtOnce) {
      for (;;) {
        signal.throwIfAborted()
        const { next, acknowledged } = deps.spool.standing('files')
        if (next - acknowledged < mostWaiting) break
        await deps.clock.sleep(paceMs, signal)
      }
      const records: FilePart[] = []
      for (let part = first; part < Math.min(parts, first + partsAtOnce); part++) {
        const length = Math.min(partBytes, of.bytes - part * partBytes)
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, part * partBytes)
        const data = buffer.subarray(0, bytesRead).toString('base64')
        records.push({ ...head, sha256: of.sha256, size: of.bytes, originalSize: of.bytes, part, parts, data })
      }
      await deps.spool.append('files', records)
    }
  } finally {
    await file.close()
  }
}

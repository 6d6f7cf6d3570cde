import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeSpool, type Spool, type SpoolOptions } from '../../../agent/spool/index.ts'
import { systemClock } from '../../../shared/clock.ts'
import { silentLog } from '../../../shared/log.ts'
import type { StreamName } from '../../../shared/schemas/envelope.ts'
import type { Notice } from '../../../shared/schemas/state.ts'

export const notice = (message: string): Notice => ({
  type: 'notice',
  at: '2026-01-01T00:00:00Z',
  level: 'info',
  code: 'TEST',
  message,
})

export const notices = (count: number, from = 0, size = 0): Notice[] =>
  Array.from({ length: count }, (_, i) =>
    notice(`${from + i}${size ? ` ${randomBytes(size / 2).toString('hex')}` : ''}`),
  )

export const numberOf = (line: string): number => Number.parseInt(JSON.parse(line).message, 10)

export async function tempFolder(t: { teardown(fn: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'marshlight-spool-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export async function openSpool(folder: string, options: SpoolOptions = {}): Promise<Spool> {
  const spool = makeSpool({ folder, clock: systemClock, log: silentLog }, options)
  await spool.start(new AbortController().signal)
  return spool
}

/** Everything from `from` on: lines by number, and the losses between. */
export async function readAll(spool: Spool, stream: StreamName, limit = { bytes: 65_536, records: 500 }) {
  const { acknowledged, next } = spool.standing(stream)
  const lines = new Map<number, string>()
  const lost: { from: number; to: number; reason: string }[] = []
  let at = acknowledged
  while (at < next) {
    const reading = await spool.read(stream, at, limit)
    lost.push(...reading.losses)
    reading.lines.forEach((line, i) => {
      lines.set(reading.first + i, line)
    })
    const end = reading.first + reading.lines.length
    if (end === at) throw new Error(`reading stands still at ${at} of ${next}`)
    at = end
  }
  return { lines, lost, acknowledged, next }
}

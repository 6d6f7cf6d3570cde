import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeSpool } from '../../agent/spool/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { silentLog } from '../../shared/log.ts'
import type { Bench, Row } from './row.ts'

const perAppend = 200
const appends = 1500

/** Records of 300 bytes through the agent's spool, 200 an append, each append fsynced: appends and reads a second. */
export const spoolBench: Bench = {
  names: ['spool.append_per_s', 'spool.read_per_s'],
  run: (progress) => {
    progress(`${perAppend * appends} records`)
    return measure()
  },
}

async function measure(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'marshlight-bench-spool-'))
  const spool = makeSpool({ folder, clock: systemClock, log: silentLog })
  await spool.start(new AbortController().signal)
  try {
    const message = 'x'.repeat(210)
    const records = Array.from({ length: perAppend }, () => ({
      type: 'notice' as const,
      at: '2026-01-01T00:00:00Z',
      level: 'info' as const,
      code: 'BENCH',
      message,
    }))
    const total = perAppend * appends
    let started = performance.now()
    // Four sources report side by side, as decoys do.
    await Promise.all(
      Array.from({ length: 4 }, async (_, source) => {
        for (let i = source; i < appends; i += 4) await spool.append('state', records, { s: { file: 'f', offset: i } })
      }),
    )
    const appended = total / ((performance.now() - started) / 1000)
    started = performance.now()
    let at = 0
    while (at < total) {
      const { first, lines } = await spool.read('state', at, { bytes: 500_000, records: 10_000 })
      at = first + lines.length
    }
    const read = total / ((performance.now() - started) / 1000)
    const row = (name: string, value: number): Row => ({
      name: `spool.${name}`,
      value: Math.round(value),
      unit: 'records/s',
      better: 'higher',
      target: 50_000,
      reference: null,
    })
    return [row('append_per_s', appended), row('read_per_s', read)]
  } finally {
    await spool.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

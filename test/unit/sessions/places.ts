import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { makeSessions, type Source } from '../../../agent/sessions/index.ts'
import { makeSpool, type Spool } from '../../../agent/spool/index.ts'
import { systemClock } from '../../../shared/clock.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import type { StreamName } from '../../../shared/schemas/envelope.ts'
import { type StreamRecord, streamRecords } from '../../../shared/schemas/records.ts'

export const eventLine = (n: number, more: Record<string, unknown> = {}) =>
  JSON.stringify({
    eventid: 'cowrie.command.input',
    timestamp: '2026-03-01T10:00:00.000000Z',
    session: 'abcdef012345',
    src_ip: '198.18.1.9',
    input: `echo ${n}`,
    ...more,
  })

/** Folders as a decoy has them, below a temporary one that goes with the test. */
export async function makePlace(t: Test) {
  const stateDir = await mkdtemp(join(tmpdir(), 'sessions-'))
  t.teardown(() => rm(stateDir, { recursive: true, force: true }))
  const outDir = join(stateDir, 'out')
  for (const folder of ['events', 'tty', 'files']) await mkdir(join(outDir, folder), { recursive: true })
  const source: Source = { id: newId(), outDir, persona: newId(), personaVersion: 3, revision: 7 }
  const openSpool = async () => {
    const spool = makeSpool({ folder: join(stateDir, 'spool'), clock: systemClock, log: silentLog })
    await spool.start(new AbortController().signal)
    return spool
  }
  return { stateDir, outDir, source, openSpool, eventPath: (n: number) => join(outDir, 'events', `events-${n}.jsonl`) }
}

export type Place = Awaited<ReturnType<typeof makePlace>>

/** Sessions that run until the test ends. */
export async function runSessions(
  t: Test,
  place: Place,
  spool: Spool,
  more: Partial<Parameters<typeof makeSessions>[0]> = {},
) {
  const sessions = makeSessions({
    spool,
    log: silentLog,
    clock: systemClock,
    stateDir: place.stateDir,
    decoys: () => [place.source],
    ...more,
  })
  await sessions.start(new AbortController().signal)
  t.teardown(() => sessions.stop())
  return sessions
}

/** All records of a stream, each of them valid. */
export async function recordsOf<S extends StreamName>(spool: Spool, stream: S): Promise<StreamRecord<S>[]> {
  const all: StreamRecord<S>[] = []
  for (;;) {
    const { lines } = await spool.read(stream, all.length, { bytes: 1_000_000, records: 10_000 })
    if (lines.length === 0) return all
    all.push(...lines.map((line) => streamRecords[stream].parse(JSON.parse(line)) as StreamRecord<S>))
  }
}

/** Resolves when the stream fits, looked at after every append. */
export async function until<S extends StreamName>(
  spool: Spool,
  stream: S,
  fits: (records: StreamRecord<S>[]) => boolean,
): Promise<StreamRecord<S>[]> {
  for (;;) {
    let off = () => {}
    const appended = new Promise<void>((resolve) => {
      off = spool.onAppend(() => resolve())
    })
    const records = await recordsOf(spool, stream)
    if (fits(records)) {
      off()
      return records
    }
    await appended
    off()
  }
}

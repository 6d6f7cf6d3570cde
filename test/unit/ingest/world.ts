import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ingestTables, makeIngest } from '../../../controller/ingest/index.ts'
import { blobTables } from '../../../controller/store/blobs.ts'
import { coreTables } from '../../../controller/store/core-tables.ts'
import { openSqlite } from '../../../controller/store/sqlite.ts'
import { makeBus } from '../../../controller/work/bus.ts'
import { encodeBatch } from '../../../shared/batch.ts'
import { systemClock } from '../../../shared/clock.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import type { Acknowledgement, Loss } from '../../../shared/schemas/envelope.ts'

type Cleanup = { teardown(work: () => unknown): void }

export const agent = newId()
const decoy = newId()
const persona = newId()

export const eventLine = (n: number): string =>
  JSON.stringify({
    type: 'event',
    at: '2026-01-01T00:00:00.000Z',
    decoy,
    persona,
    personaVersion: 1,
    revision: 1,
    service: 'cowrie',
    kind: 'command',
    session: 'a1b2c3',
    src: { ip: '198.18.0.7', port: 40000 },
    command: `echo ${n}`,
    source: 'cowrie.command.input',
  })

export const eventBatch = (epoch: string, first: number, count: number, losses: Loss[] = []): Buffer =>
  encodeBatch(
    { v: 1, epoch, first, count, losses },
    Array.from({ length: count }, (_, i) => eventLine(first + i)),
  )

/** An ingest over a real database. `acks` gathers what it tells agents. */
export async function world(t: Cleanup, clock = systemClock) {
  const folder = mkdtempSync(join(tmpdir(), 'marshlight-ingest-'))
  const path = join(folder, 'test.db')
  const store = openSqlite(path, [coreTables, blobTables, ingestTables])
  const acks: (Acknowledgement & { agent: string })[] = []
  const bus = makeBus()
  const ingest = makeIngest({
    store,
    bus,
    clock,
    log: silentLog,
    acknowledge: (agent, ack) => void acks.push({ agent, ...ack }),
  })
  await ingest.start(new AbortController().signal)
  t.teardown(async () => {
    await ingest.stop()
    await store.close()
    rmSync(folder, { recursive: true })
  })
  const count = async (table: string) => (await store.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))?.n ?? 0
  return { folder, path, store, bus, ingest, acks, count }
}

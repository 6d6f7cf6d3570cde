import { type Batch, decodeBatch } from '../../shared/batch.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Acknowledgement, StreamName } from '../../shared/schemas/envelope.ts'
import { type DecoyEvent, filePart } from '../../shared/schemas/event.ts'
import { streamRecords } from '../../shared/schemas/records.ts'
import { storePart } from '../store/blobs.ts'
import type { Sql, SqlValue } from '../store/port.ts'
import { type DeadLetter, keepDeadLetters } from './dead-letters.ts'
import { keepDecoyLoss } from './decoy-losses.ts'
import { take } from './take.ts'

export type Incoming = { agent: string; stream: StreamName; payload: Uint8Array }
export type Sums = { committed: number; dead: number; lost: number; duplicated: number }
export type Refusal = { agent: string; stream: StreamName; epoch: string; first: number; next: number }
export type Committed = { acks: (Acknowledgement & { agent: string })[]; refused: Refusal[]; sums: Sums }

type Standing = { agent: string; stream: StreamName; epoch: string; id: number; next: number; sums: Sums }

const none = (): Sums => ({ committed: 0, dead: 0, lost: 0, duplicated: 0 })
const rowsAtOnce = 50

/**
 * Writes batches in their order within one transaction. Invariants: a stream's `next` moves only past numbers that are in
 * `records`, in the dead letters or in `losses`; a number is written once. `giveUpGap` says whether a gap was asked for
 * often enough to be called lost. `buryAll`: why every record shall go to the dead letters, for a batch that cannot be
 * stored otherwise.
 */
export async function commitBatches(
  sql: Sql,
  incoming: readonly Incoming[],
  now: string,
  giveUpGap: (refusal: Refusal) => boolean = () => false,
  buryAll?: string,
): Promise<Committed> {
  const standings = new Map<string, Standing>()
  const letters: DeadLetter[] = []
  const refused: Refusal[] = []
  const unreadable = new Map<string, { agent: string; stream: StreamName; sums: Sums }>()

  for (const { agent, stream, payload } of incoming) {
    const batch = readBatch(payload)
    if (typeof batch === 'string') {
      letters.push({ agent, topic: `up/${stream}`, why: batch, payload })
      const key = `${agent} ${stream}`
      const seen = unreadable.get(key) ?? { agent, stream, sums: none() }
      seen.sums.dead++
      unreadable.set(key, seen)
      continue
    }
    const standing = await standingOf(sql, standings, agent, stream, batch.epoch)
    let taking = take(standing.next, batch)
    if (taking.kind === 'gap') {
      const refusal = { agent, stream, epoch: batch.epoch, first: batch.first, next: standing.next }
      if (!giveUpGap(refusal)) {
        refused.push(refusal)
        continue
      }
      const gap = { from: standing.next, to: batch.first - 1, reason: 'corrupt' as const }
      taking = take(standing.next, { ...batch, losses: [gap] })
      if (taking.kind === 'gap') continue
    }
    const { records, losses, next, duplicated } = taking
    const { rows, dead } = await validate(sql, standing, batch, records, now, buryAll)
    await insertRecords(sql, rows)
    for (const { from, to, reason } of losses)
      await sql.run(
        `INSERT INTO losses (agent, stream, epoch, first, last, reason, at) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (agent, stream, epoch, first) DO NOTHING`,
        agent,
        stream,
        batch.epoch,
        from,
        to,
        reason,
        now,
      )
    letters.push(...dead)
    standing.next = next
    standing.sums.committed += rows.length / 4
    standing.sums.dead += dead.length
    standing.sums.lost += losses.reduce((sum, { from, to }) => sum + to - from + 1, 0)
    standing.sums.duplicated += duplicated
  }

  for (const { id, next } of standings.values()) await sql.run('UPDATE streams SET next = ? WHERE id = ?', next, id)
  const total = none()
  for (const { agent, stream, sums } of [...standings.values(), ...unreadable.values()]) {
    await addSums(sql, agent, stream, sums, now)
    for (const key of Object.keys(total) as (keyof Sums)[]) total[key] += sums[key]
  }
  if (letters.length > 0) await keepDeadLetters(sql, letters, now)
  const acks = [...standings.values()].map(({ agent, stream, epoch, next }) => ({ agent, stream, epoch, next }))
  return { acks, refused, sums: total }
}

function readBatch(payload: Uint8Array): Batch | string {
  try {
    const batch = decodeBatch(payload)
    const wrong = batch.losses.find(({ from, to }) => from > to || to >= Number.MAX_SAFE_INTEGER)
    if (wrong) return `it tells a loss from ${wrong.from} to ${wrong.to}`
    if (batch.first + batch.count >= Number.MAX_SAFE_INTEGER) return `its numbers are too large: ${batch.first}`
    return batch
  } catch (error) {
    return wordsOf(error)
  }
}

async function standingOf(
  sql: Sql,
  known: Map<string, Standing>,
  agent: string,
  stream: StreamName,
  epoch: string,
): Promise<Standing> {
  const key = `${agent} ${stream} ${epoch}`
  const held = known.get(key)
  if (held) return held
  const find = () =>
    sql.get<{ id: number; next: number }>(
      'SELECT id, next FROM streams WHERE agent = ? AND stream = ? AND epoch = ?',
      agent,
      stream,
      epoch,
    )
  let row = await find()
  if (!row) {
    await sql.run('INSERT INTO streams (agent, stream, epoch, next) VALUES (?, ?, ?, 0)', agent, stream, epoch)
    row = await find()
  }
  if (!row) throw new Error('a stream that was just made is not there')
  const standing: Standing = { agent, stream, epoch, id: row.id, next: row.next, sums: none() }
  known.set(key, standing)
  return standing
}

/** The lines that fit their schema as rows (flat, four values each), the others as dead letters. */
async function validate(
  sql: Sql,
  standing: Standing,
  batch: Batch,
  range: { from: number; to: number },
  now: string,
  buryAll: string | undefined,
): Promise<{ rows: SqlValue[]; dead: DeadLetter[] }> {
  const { agent, stream, id } = standing
  const schema = streamRecords[stream]
  const rows: SqlValue[] = []
  const dead: DeadLetter[] = []
  for (let i = range.from; i < range.to; i++) {
    const line = batch.lines[i] ?? ''
    const bury = (why: string) =>
      dead.push({ agent, topic: `up/${stream}/${batch.first + i}`, why, payload: Buffer.from(line) })
    if (buryAll !== undefined) {
      bury(buryAll)
      continue
    }
    const value = parseLine(line)
    const parsed = schema.safeParse(value)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      bury(value === undefined ? 'it is not JSON' : `${issue?.path.join('.')}: ${issue?.message}`)
      continue
    }
    const event = stream === 'events' ? (parsed.data as DecoyEvent) : undefined
    if (event?.kind === 'events.lost') standing.sums.lost += await keepDecoyLoss(sql, agent, event, now)
    let body = line
    if (stream === 'files') {
      const part = filePart.parse(value)
      const why = await storePart(sql, agent, part, now)
      if (why !== undefined) {
        bury(why)
        continue
      }
      const { data: _data, ...rest } = part
      body = JSON.stringify(rest)
    }
    rows.push(id, batch.first + i, now, body)
  }
  return { rows, dead }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** Several rows a statement: half the time of one by one. */
async function insertRecords(sql: Sql, values: readonly SqlValue[]): Promise<void> {
  const step = rowsAtOnce * 4
  let at = 0
  for (; at + step <= values.length; at += step) await sql.run(insertMany, ...values.slice(at, at + step))
  for (; at < values.length; at += 4) await sql.run(insertOne, ...values.slice(at, at + 4))
}

const insertOne = 'INSERT INTO records (stream_id, number, received_at, body) VALUES (?, ?, ?, ?)'
const insertMany = `${insertOne}${', (?, ?, ?, ?)'.repeat(rowsAtOnce - 1)}`

const addSums = (sql: Sql, agent: string, stream: StreamName, sums: Sums, now: string) =>
  sql.run(
    `INSERT INTO ingest_totals (agent, stream, committed, dead, lost, duplicated, last_at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (agent, stream) DO UPDATE SET committed = committed + excluded.committed, dead = dead + excluded.dead,
       lost = lost + excluded.lost, duplicated = duplicated + excluded.duplicated, last_at = excluded.last_at`,
    agent,
    stream,
    sums.committed,
    sums.dead,
    sums.lost,
    sums.duplicated,
    now,
  )

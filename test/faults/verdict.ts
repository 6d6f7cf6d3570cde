import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import type { Line, Written } from './lines.ts'

export type Verdict = {
  seed: string
  seconds: number
  kills: { agent: number; controller: number; writer: number }
  /** Whole lines that were written. */
  lines: number
  torn: number
  /** Whole lines that are not in the database, and numbers told as lost. */
  lost: number
  /** Records beyond the first of their line. */
  duplicated: number
  /** Records that the agent sent again and the controller did not take again. */
  sentAgain: number
  /** Everything that is not as it should be, in words. */
  troubles: string[]
}
type Found = Omit<Verdict, 'seed' | 'seconds' | 'kills'>

const keyOf = ({ run, serial }: Pick<Line, 'run' | 'serial'>) => `${run}.${serial}`

/**
 * Until the controller that runs on this database has worked up all that is committed: every worker stands at the last
 * record or crossing. Ends after `ms` in any case; `compare` then tells who fell behind.
 */
export async function workedUp(database: string, ms: number): Promise<void> {
  const db = new DatabaseSync(database, { readOnly: true })
  try {
    for (const end = performance.now() + ms; performance.now() < end && behind(db).length > 0; ) await delay(50)
  } finally {
    db.close()
  }
}

/** Compares the controller's database with what was written. */
export function compare(database: string, { lines, torn }: Written): Found {
  const db = new DatabaseSync(database, { readOnly: true })
  try {
    const all = <T>(sql: string) => db.prepare(sql).all() as T[]
    const one = (sql: string) => Number((db.prepare(sql).get() as { n: number | null }).n ?? 0)
    const troubles: string[] = []
    const expect = (what: string, found: unknown, expected: unknown) => {
      if (JSON.stringify(found) !== JSON.stringify(expected))
        troubles.push(`${what}: ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`)
    }

    const records = all<{ key: string }>(
      `SELECT (r.body ->> '$.data.run') || '.' || (r.body ->> '$.data.serial') AS key
       FROM records r JOIN streams s ON s.id = r.stream_id WHERE s.stream = 'events' ORDER BY r.pos`,
    ).map(({ key }) => key)
    const there = new Set(records)
    const toldLost = one('SELECT sum(last - first + 1) AS n FROM losses')
    const lost = lines.filter((line) => !there.has(keyOf(line))).length + toldLost
    const duplicated = records.length - there.size
    const wrong = lines.findIndex((line, i) => records[i] !== keyOf(line))
    if (wrong >= 0) expect(`record ${wrong} of ${records.length}`, records[wrong], keyOf(lines[wrong] as Line))
    expect('records of events', records.length, lines.length)

    for (const { stream, n, least, most, next, epochs } of all<Record<string, number>>(
      `SELECT s.stream, count(*) AS n, min(r.number) AS least, max(r.number) AS most, max(s.next) AS next,
         (SELECT count(*) FROM streams x WHERE x.agent = s.agent AND x.stream = s.stream) AS epochs
       FROM streams s JOIN records r ON r.stream_id = s.id GROUP BY s.id`,
    ))
      expect(`numbers of ${stream}`, [least, most, next, epochs], [0, Number(n) - 1, n, 1])
    expect('records out of the order of their numbers', one(outOfOrder), 0)
    expect('losses', one('SELECT count(*) AS n FROM losses'), 0)
    expect('dead letters', one('SELECT count(*) AS n FROM dead_letters'), 0)
    const committed = one(`SELECT sum(committed) AS n FROM ingest_totals`)
    expect('sum of what was committed', committed, one('SELECT count(*) AS n FROM records'))

    const noticed = all<{ file: string }>(
      `SELECT DISTINCT json_extract(body, '$.message') AS file FROM records WHERE json_extract(body, '$.code') = 'EVENTS_UNREADABLE'`,
    ).map(({ file }) => /events-\d+\.jsonl/.exec(file)?.[0])
    expect('files with a torn line, as told', noticed.sort(), [...torn].sort())

    for (const { worker, pos, end } of behind(db)) expect(`how far ${worker} is`, pos, end)
    expect('events of sessions', one('SELECT count(*) AS n FROM session_events'), lines.length)
    const sessions = all<object>(
      'SELECT session AS key, source, events, tries, success, commands FROM sessions ORDER BY session',
    )
    differences(troubles, 'session', sessions, countsBy(lines, 'session'))
    const sources = all<object>(
      'SELECT ip AS key, ip AS source, events, tries, successes AS success, commands FROM sources ORDER BY ip',
    )
    differences(troubles, 'source', sources, countsBy(lines, 'src_ip'))
    const sentAgain = one('SELECT sum(duplicated) AS n FROM ingest_totals')
    return { lines: lines.length, torn: torn.length, lost, duplicated, sentAgain, troubles }
  } finally {
    db.close()
  }
}

/** Workers that read on from the crossings of risk; all others do from the records. */
const readsCrossings = ['alerts', 'response.blocks', 'response.decoys']

/** Workers that do not stand at the end of what they read. */
function behind(db: DatabaseSync): { worker: string; pos: number; end: number }[] {
  const sql = `SELECT worker, pos, coalesce(CASE WHEN worker IN (SELECT value FROM json_each(?))
    THEN (SELECT max(id) FROM risk_crossings) ELSE (SELECT max(pos) FROM records) END, 0) AS end FROM cursors`
  const all = db.prepare(sql).all(JSON.stringify(readsCrossings)) as { worker: string; pos: number; end: number }[]
  return all.filter(({ pos, end }) => pos !== end)
}

const outOfOrder = `SELECT count(*) AS n FROM (
  SELECT number, lag(number) OVER (PARTITION BY stream_id ORDER BY pos) AS before FROM records) WHERE number <= before`

/** What the lines alone say of each session or source. */
function countsBy(lines: readonly Line[], field: 'session' | 'src_ip'): object[] {
  const count = (group: readonly Line[], ...ids: string[]) =>
    group.filter(({ eventid }) => ids.includes(eventid)).length
  return [...Map.groupBy(lines, (line) => line[field])]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, group]) => ({
      key,
      source: group[0]?.src_ip,
      events: group.length,
      tries: count(group, 'cowrie.login.failed', 'cowrie.login.success'),
      success: count(group, 'cowrie.login.success'),
      commands: count(group, 'cowrie.command.input'),
    }))
}

function differences(troubles: string[], kind: string, found: object[], expected: object[]): void {
  const there = new Set(found.map((one) => JSON.stringify(one)))
  const wanted = new Set(expected.map((one) => JSON.stringify(one)))
  const missing = [...wanted].filter((one) => !there.has(one))
  const foreign = [...there].filter((one) => !wanted.has(one))
  if (missing.length === 0 && found.length === expected.length) return
  const counts = `${missing.length} of ${expected.length} ${kind}s are wrong (${found.length} there)`
  troubles.push(`${counts}: ${foreign[0]}, expected ${missing[0]}`)
}

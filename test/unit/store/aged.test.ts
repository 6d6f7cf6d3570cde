import t, { type Test } from 'tap'
import { migrations } from '../../../controller/serve/database.ts'
import { agedRows } from '../../../controller/serve/retention.ts'
import { deleteAged } from '../../../controller/store/aged.ts'
import type { Sql, SqlValue } from '../../../controller/store/port.ts'
import { openSqlite } from '../../../controller/store/sqlite.ts'
import { pick, seededRandom } from '../../../shared/random.ts'

const day = 86_400_000
const now = Date.parse('2026-11-21T00:00:00Z')
const ages = { recordsDays: 90, historyDays: 365, enforcementDays: 14 }
const ago = (days: number) => new Date(now - days * day).toISOString()
/** Kept by other means than age, and by which. */
const otherwise: Record<string, string> = {
  'a row for each thing that there is':
    'sites segments agents agent_segments streams cursors hosts segment_activity sources source_facts risk_evidence risk_scores risk_levels ' +
    'decoys decoy_states alert_decoys personas persona_sources persona_honey desired document_standing agent_health agent_hardware agent_tags agent_told agent_left site_plans site_templates ingest_totals ' +
    'baseline_watching releases mimicry_patterns adaptation_beliefs drift_standings drift_streams',
  'a retention of its own':
    'records losses dead_letters blobs blob_parts sessions session_events session_ttys behaviours baseline_subjects baseline_cells ' +
    'baseline_windows mimicry_reports drift_scores drift_changes drift_marks adaptation_visits adaptation_changes adaptation_assignments',
  'the last hundreds of each agent': 'agent_events',
}

async function database(t: Test) {
  const store = openSqlite(`${t.testdir()}/db.sqlite`, migrations)
  t.teardown(() => store.close())
  await store.run("INSERT INTO sites VALUES ('site', 'hq')")
  for (const id of ['office', 'dmz'])
    await store.run('INSERT INTO segments (id, site, name) VALUES (?, ?, ?)', id, 'site', id)
  const waiting: { table: string; row: Record<string, SqlValue> }[] = []
  const add = (table: string, row: Record<string, SqlValue>) => void waiting.push({ table, row })
  /** Writes down what was added, all at once, and deletes what is over. */
  const sweep = async () => {
    await store.tx(async (sql) => {
      for (const { table, row } of waiting.splice(0)) await insert(sql, table, row)
    })
    return deleteAged(store, agedRows, { ages, now })
  }
  const left = async (table: string, column = 'id') =>
    (await store.all<Record<string, string>>(`SELECT ${column} AS it FROM ${table} ORDER BY ${column}`)).map(
      ({ it }) => it,
    )
  return { store, add, sweep, left }
}

const columnsOf = new Map<
  string,
  { name: string; notnull: number; dflt_value: string | null; type: string; pk: number }[]
>()

/** What a row does not say is empty. */
async function insert(sql: Sql, table: string, row: Record<string, SqlValue>): Promise<void> {
  const columns = columnsOf.get(table) ?? (await sql.all(`PRAGMA table_info(${table})`))
  columnsOf.set(table, columns)
  const given = { ...row }
  for (const { name, notnull, dflt_value, type, pk } of columns)
    if (notnull && dflt_value === null && !(name in given) && !(pk && type === 'INTEGER'))
      given[name] = type === 'TEXT' ? 'x' : 0
  const names = Object.keys(given)
  const marks = names.map(() => '?').join(', ')
  await sql.run(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${marks})`, ...Object.values(given))
}

t.test('no table grows for ever: each goes by age, or is bounded otherwise', async (t) => {
  const { store } = await database(t)
  const tables = (await store.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'"))
    .map(({ name }) => name)
    .filter((name) => !/^(sqlite_|migrations$|schema_)/.test(name))
  const known = [
    ...agedRows.map(({ table }) => table),
    ...Object.values(otherwise).flatMap((names) => names.split(' ')),
  ]
  t.same(
    tables.filter((name) => !known.includes(name)),
    [],
  )
  t.same(
    known.filter((name) => !tables.includes(name)),
    [],
    'and none is named that is no more',
  )
})

t.test('alerts: what is closed and old goes, what is open or lasts stays', async (t) => {
  const { add, sweep, left } = await database(t)
  const random = seededRandom('alerts')
  const lasting = ['silent-agent', 'dead-decoy', 'unsafe-decoy', 'touch-lost', 'drift']
  const stays: string[] = []
  for (let i = 0; i < 1500; i++) {
    const id = `alert-${String(i).padStart(4, '0')}`
    const status = pick(random, ['open', 'acknowledged', 'closed'])
    const kind = pick(random, [...lasting, 'risk', 'honey', 'notice'])
    const days = random() * 800
    const endedDays = status === 'closed' ? days * random() : undefined
    add('alerts', {
      ...{ id, kind, status, reasons: '[]', last_at: ago(days) },
      ended_at: endedDays === undefined ? null : ago(endedDays),
    })
    const over = status === 'closed' || (status === 'acknowledged' && !lasting.includes(kind))
    if (!over || (endedDays ?? days) < 365) stays.push(id)
  }
  const deleted = await sweep()
  t.same(await left('alerts'), stays)
  t.equal(deleted, 1500 - stays.length)
  t.equal(await sweep(), 0, 'once')
})

t.test('of old alerts that nobody ever looked at the newest stay', async (t) => {
  const { add, sweep, left } = await database(t)
  const name = (i: number) => `alert-${String(i).padStart(5, '0')}`
  for (let i = 0; i < 20_010; i++)
    add('alerts', { id: name(i), kind: 'risk', status: 'open', last_at: ago(900 - i / 100) })
  t.equal(await sweep(), 10)
  t.equal((await left('alerts'))[0], name(10))
})

t.test('decisions: blocks in force stay, and where they are; what is over goes, its places first', async (t) => {
  const { add, sweep, left } = await database(t)
  const random = seededRandom('decisions')
  const stays: string[] = []
  const places: string[] = []
  for (let i = 0; i < 1200; i++) {
    const id = `decision-${String(i).padStart(4, '0')}`
    const kind = pick(random, ['block', 'deploy', 'reconfigure'])
    const status =
      kind === 'block'
        ? pick(random, ['active', 'proposed', 'expired', 'undone', 'refused'])
        : pick(random, ['active', 'undone'])
    const days = random() * 800
    const endedDays = ['expired', 'undone'].includes(status) ? days * random() : undefined
    add('decisions', {
      id,
      kind,
      status,
      evidence: '[]',
      made_at: ago(days),
      ended_at: endedDays === undefined ? null : ago(endedDays),
    })
    const open = ['active', 'proposed'].includes(status)
    const overDays = endedDays ?? days
    if ((open && kind === 'block') || overDays < 365) stays.push(id)
    if (kind !== 'block') continue
    for (const table of ['decision_enforcement', 'decision_unenforced']) add(table, { decision: id, agent: 'a' })
    if (open || overDays < 14) places.push(id)
  }
  await sweep()
  t.same(await left('decisions'), stays)
  t.same(await left('decision_enforcement', 'decision'), places)
  t.same(await left('decision_unenforced', 'decision'), places)
})

t.test('scans and audits: what is old goes, but not the last by which something is known', async (t) => {
  const { add, sweep, left, store } = await database(t)
  const random = seededRandom('scans')
  add('decoys', { id: 'stands', status: 'wanted', mac: '1' })
  add('decoys', { id: 'gone', status: 'retired', mac: '2' })
  type Kept = { id: string; group: string; days: number; over: boolean }
  const scans: Kept[] = []
  const runs: Kept[] = []
  for (let i = 0; i < 800; i++) {
    const id = `one-${String(i).padStart(4, '0')}`
    const days = 400 - i * (i % 2 ? 0.2 : 0.5)
    const [segment, phase, outcome] = [
      pick(random, ['office', 'dmz']),
      pick(random, ['quick', 'detail']),
      pick(random, ['done', 'failed']),
    ]
    add('scans', { id, phase, segment, outcome, started_at: ago(days), received_at: ago(days) })
    scans.push({ id, group: outcome === 'done' ? `${segment} ${phase}` : '', days, over: true })
    const [decoy, kind, status] = [
      pick(random, ['stands', 'gone']),
      pick(random, ['audit', 'touch']),
      pick(random, ['done', 'failed', 'running']),
    ]
    const version = kind === 'audit' ? pick(random, [1, 2]) : null
    add('audit_runs', { id, decoy, kind, status, persona_version: version, created_at: ago(days) })
    runs.push({ id, group: decoy === 'stands' ? `${kind} ${version} ${status}` : '', days, over: status !== 'running' })
  }
  /** The newest of each group stay: of scans by their time, of runs by their id. */
  const expected = (all: readonly Kept[], newest: (a: Kept, b: Kept) => number) => {
    const last = new Set(
      [
        ...Map.groupBy(
          all.filter(({ group }) => group !== ''),
          ({ group }) => group,
        ).values(),
      ].map((some) => some.toSorted(newest)[0]?.id),
    )
    return all.filter(({ id, days, over }) => !over || days <= 90 || last.has(id)).map(({ id }) => id)
  }
  await sweep()
  t.same(
    await left('scans'),
    expected(scans, (a, b) => a.days - b.days),
  )
  t.same(
    await left('audit_runs'),
    expected(runs, (a, b) => b.id.localeCompare(a.id)),
  )
  await store.run("UPDATE scans SET received_at = '2020-01-01T00:00:00.000Z'")
  await store.run("UPDATE audit_runs SET created_at = '2020-01-01T00:00:00.000Z', status = 'done'")
  await sweep()
  t.equal((await left('scans')).length, 4, 'one of each segment and pass, however old')
  t.equal((await left('audit_runs')).length, 3, 'audits of two versions, and a touch')
})

t.test('crossings that somebody has yet to take stay, and the rest goes by its own time', async (t) => {
  const { add, sweep, left, store } = await database(t)
  for (let i = 0; i < 20; i++) add('risk_crossings', { at: ago(i < 15 ? 100 : 10) })
  await store.run("INSERT INTO cursors VALUES ('alerts', 20), ('response.blocks', 12)")
  await sweep()
  t.equal((await left('risk_crossings')).length, 20, 'one has not begun')
  await store.run("INSERT INTO cursors VALUES ('response.decoys', 18)")
  await sweep()
  t.same(await left('risk_crossings'), [13, 14, 15, 16, 17, 18, 19, 20])
})

t.test('what has a time of its own goes by that, and nothing without an end', async (t) => {
  const { add, sweep, left } = await database(t)
  const single: [table: string, column: string, days: number][] = [
    ['alert_outbox', 'created_at', 90],
    ['host_history', 'at', 365],
    ['decoy_phases', 'at', 90],
    ['decoy_addresses', 'until_at', 90],
    ['decoy_actions', 'at', 365],
    ['drift_settings', 'ended_at', 90],
    ['risk_exceptions', 'expires_at', 365],
    ['claims', 'expires_at', 365],
    ['agent_certificates', 'expires_at', 365],
  ]
  const open = ['decoy_addresses', 'drift_settings']
  for (const [table, column, days] of single) {
    const own =
      table === 'claims' ? { segment: 'office' } : table === 'agent_certificates' ? { ended_at: ago(days + 30) } : {}
    const key = (id: string): Record<string, string> =>
      table === 'agent_certificates'
        ? { serial: id }
        : ['alert_outbox', 'risk_exceptions', 'claims', 'drift_settings'].includes(table)
          ? { id, ...(table === 'drift_settings' && { decoy: id }) }
          : {}
    add(table, { ...own, ...key('old'), [column]: ago(days + 1) })
    add(table, { ...own, ...key('young'), [column]: ago(days - 1) })
    if (open.includes(table)) add(table, { ...key('open'), [column]: null })
  }
  await sweep()
  for (const [table, column, days] of single)
    t.same(await left(table, column), [...(open.includes(table) ? [null] : []), ago(days - 1)], table)
})

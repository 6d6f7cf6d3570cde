import t, { type Test } from 'tap'
import {
  apartTables,
  baselineOf,
  baselineTables,
  forgetSegment,
  forgottenTables,
  hourOfWeek,
  knownOfSubject,
  makeBaselineProjector,
  makeBaselineRetention,
  setWatched,
  windowsOf,
} from '../../../controller/baselines/index.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import { seededRandom } from '../../../shared/random.ts'
import { type FeatureWindow, featureWindow } from '../../../shared/schemas/observation.ts'
import { streamRecords } from '../../../shared/schemas/records.ts'
import { card, cidr, startedAt, testFleet } from '../segments/fleet.ts'

const hour = 3_600_000
const random = seededRandom('profiles')

/** A fleet with one decoy, and the projector over its database. */
async function profileWorld(t: Test) {
  const fleet = await testFleet(t, [baselineTables, forgottenTables, apartTables])
  await fleet.see(card())
  const decoy = newId(startedAt)
  await fleet.store.run(
    `INSERT INTO decoys (id, segment, agent, cidr, ip, mac, hostname, persona, persona_version, status, origin, created_at, changed_at, reason)
     VALUES (?, ?, ?, ?, '198.18.1.9', '52:54:00:00:00:09', 'files', ?, 1, 'wanted', 'admin', '', '', '')`,
    decoy,
    fleet.ids.segment,
    fleet.ids.agent,
    cidr,
    newId(startedAt),
  )
  const projector = makeBaselineProjector({ random })
  let pos = 0
  const window = (at: number, more: Partial<FeatureWindow> = {}): FeatureWindow =>
    featureWindow.parse({
      type: 'window',
      at: new Date(at).toISOString(),
      seconds: 60,
      subject: { kind: 'decoy', decoy, port: 22 },
      service: 'ssh',
      profile: {
        'response.delay': { form: 'sample', unit: 'ms', n: 4, values: [5, 6, 7, 8] },
        'request.rate': { form: 'rate', count: 4, seconds: 60 },
      },
      drift: 'none',
      missed: 0,
      ...more,
    })
  const took = (...windows: FeatureWindow[]) =>
    fleet.store.tx((sql) =>
      projector.project(
        sql,
        windows.map((record) => ({
          pos: ++pos,
          agent: fleet.ids.agent,
          stream: 'features',
          receivedAt: new Date(Math.max(startedAt, Date.parse(record.at))).toISOString(),
          record,
        })),
      ),
    )
  const real = (at: number, values: number[]) =>
    window(at, {
      subject: { kind: 'service', cidr, ip: '198.18.1.77', port: 22 },
      drift: undefined,
      profile: { 'response.delay': { form: 'sample', unit: 'ms', n: values.length, values } },
    })
  return { ...fleet, decoy, window, real, took, projector }
}

t.test('a decoy is known by its own windows, the exact number of them, without those under drift', async (t) => {
  const { store, decoy, window, took } = await profileWorld(t)
  t.strictSame(await baselineOf(store, { decoy, port: 22 }), { profile: {}, n: 0, levels: {}, from: 'none' })
  const windows = Array.from({ length: 30 }, (_, i) => window(startedAt + i * 60_000))
  const drifted = window(startedAt, {
    drift: '0123456789abcdef',
    profile: { 'response.delay': { form: 'sample', unit: 'ms', n: 4, values: [900, 900, 900, 900] } },
  })
  await took(...windows.slice(0, 17), drifted)
  await took(...windows.slice(17))
  const known = await baselineOf(store, { decoy, port: 22 })
  t.match(known, { from: 'own', n: 30, since: new Date(startedAt).toISOString() })
  const { 'response.delay': delays, 'request.rate': rate } = known.profile
  t.match(delays, { n: 120 })
  t.equal(delays?.form === 'sample' && Math.max(...delays.values), 8)
  t.strictSame(rate, { form: 'rate', count: 120, seconds: 1800 })
  t.strictSame(await baselineOf(store, { decoy, port: 22 }), known, 'asked again, the same')
  const seen = await windowsOf(
    store,
    { kind: 'decoy', decoy, port: 22 },
    new Date(startedAt - 1).toISOString(),
    new Date(startedAt).toISOString(),
  )
  t.same(
    seen.map((one) => one.drift),
    ['none', '0123456789abcdef'],
    'detection sees them all',
  )
})

t.test('an hour of its own where enough was seen in it, else that of each day, else all', async (t) => {
  const { store, decoy, window, took } = await profileWorld(t)
  const busy = (at: number, value: number, count: number) =>
    window(at, {
      seconds: 600,
      profile: {
        'response.delay': { form: 'sample', unit: 'ms', n: count, values: Array(count).fill(value) },
        'request.rate': { form: 'rate', count, seconds: 600 },
      },
    })
  // Two days, 05:00 busy and slow; the other hours thin.
  for (const day of [0, 1])
    await took(
      ...Array.from({ length: 6 }, (_, i) =>
        busy(startedAt + day * 24 * hour + (i + 1) * 600_000 - 1, 50, day === 0 ? 20 : 3),
      ),
      ...Array.from({ length: 6 }, (_, i) => busy(startedAt + (day * 24 + 3) * hour + (i + 1) * 600_000 - 1, 5, 1)),
    )
  const at = (offset: number) => baselineOf(store, { decoy, port: 22 }, hourOfWeek(startedAt + offset * hour))
  const [own, otherDay, thin] = [await at(0), await at(48), await at(3)]
  t.match(own, { levels: { 'response.delay': 'hour', 'request.rate': 'all' } })
  t.match(own.profile['response.delay'], { n: 120 })
  t.match(otherDay, { levels: { 'response.delay': 'day' } }, 'of another day, the same hour')
  t.match(otherDay.profile['response.delay'], { n: 138 })
  t.match(thin, { levels: { 'response.delay': 'all' } })
  t.match(thin.profile['response.delay'], { n: 150 })
})

t.test('a decoy that is new has what real services of its kind show', async (t) => {
  const { store, decoy, window, real, took } = await profileWorld(t)
  await took(window(startedAt), ...Array.from({ length: 25 }, (_, i) => real(startedAt + i, [11])))
  const known = await baselineOf(store, { decoy, port: 22 })
  t.match(known, { from: 'service', n: 25 })
  t.match(known.profile['response.delay'], { n: 25 })
  t.match(await baselineOf(store, { decoy, port: 80 }), { from: 'none' })
  t.match(await baselineOf(store, { decoy }), { from: 'none' })
  const kept = JSON.stringify([
    await store.all('SELECT * FROM baseline_subjects'),
    await store.all('SELECT * FROM baseline_cells'),
    await store.all('SELECT * FROM baseline_windows'),
  ])
  t.notMatch(kept, /198\.18\.1\.77/, 'which host it was is not kept')
})

t.test('a segment that is switched off adds nothing, and what was kept can be forgotten', async (t) => {
  const { store, ids, decoy, window, real, took } = await profileWorld(t)
  await took(...Array.from({ length: 25 }, (_, i) => window(startedAt + i)), real(startedAt, [11, 12]))
  const service = { kind: 'service', segment: ids.segment, service: 'ssh' } as const
  t.match(await knownOfSubject(store, service), { n: 1 })
  await setWatched(store, ids.segment, false, '')
  await took(real(startedAt + 1, [11, 12]))
  t.match(await knownOfSubject(store, service), { n: 1 })
  t.match(await forgetSegment(store, ids.segment), { subjects: 1, windows: 1 })
  t.equal(await knownOfSubject(store, service), undefined)
  t.match(await baselineOf(store, { decoy, port: 22 }), { from: 'own', n: 25 }, 'decoys are ours')
  await setWatched(store, ids.segment, true, '')
  await took(real(startedAt + 2, [11, 12]))
  t.match(await knownOfSubject(store, service), { n: 1 })
})

t.test('what is forgotten stands in no record either, whoever told it and whenever it comes', async (t) => {
  const { store, ids, window, real, projector } = await profileWorld(t)
  const patterns = (of: string) => ({
    type: 'patterns',
    at: new Date(startedAt).toISOString(),
    from: new Date(startedAt).toISOString(),
    cidr: of,
    patterns: [{ kind: 'dns', hourly: Array(24).fill(3), burst: 0, gapMs: [], exchanges: [1], classes: [], n: 40 }],
  })
  const bodies = async () =>
    (await store.all<{ body: string }>('SELECT body FROM records ORDER BY pos')).map(({ body }) => body)
  let number = 0
  const arrives = async (agent: string, record: object) => {
    await store.run("INSERT OR IGNORE INTO streams (agent, stream, epoch, next) VALUES (?, 'features', 'e', 0)", agent)
    await store.run(
      'INSERT INTO records (stream_id, number, received_at, body) VALUES ((SELECT id FROM streams WHERE agent = ?), ?, ?, ?)',
      agent,
      number++,
      new Date(startedAt).toISOString(),
      JSON.stringify(record),
    )
  }
  const buried = (agent: string, topic: string, payload: object) =>
    store.run(
      "INSERT INTO dead_letters (agent, topic, at, why, size, payload) VALUES (?, ?, '', '', 1, ?)",
      agent,
      topic,
      Buffer.from(JSON.stringify(payload)),
    )
  const elsewhere = {
    ...real(startedAt, [1]),
    subject: { kind: 'service', cidr: '10.1.0.0/24', ip: '10.1.0.7', port: 22 },
  }
  const gone = newId(startedAt)
  await arrives(ids.agent, real(startedAt, [11, 12]))
  await arrives(ids.agent, patterns(cidr))
  await arrives(ids.agent, window(startedAt))
  await arrives(ids.agent, elsewhere)
  await arrives(gone, real(startedAt, [13]))
  await buried(ids.agent, 'up/features/3', { ...real(startedAt, [11]), seconds: 'x' })
  await buried(ids.agent, 'up/features/4', elsewhere)
  const kept = await bodies()

  await setWatched(store, ids.segment, false, '', true)
  await forgetSegment(store, ids.segment)
  await arrives(ids.agent, real(startedAt + 1, [14]))
  await arrives(ids.agent, patterns(cidr))
  const late = (await store.all<{ pos: number; body: string }>('SELECT pos, body FROM records WHERE pos > 5')).map(
    ({ pos, body }) => ({
      ...{ pos, agent: ids.agent, stream: 'features' as const, receivedAt: new Date(startedAt).toISOString() },
      record: streamRecords.features.parse(JSON.parse(body)),
    }),
  )
  await store.tx((sql) => projector.project(sql, late))

  const left = await bodies()
  t.equal(left.length, 7, 'each keeps its place')
  t.strictSame([left[2], left[3]], [kept[2], kept[3]], 'decoys are ours, and another segment stays')
  for (const i of [0, 1, 4, 5, 6]) {
    const told = streamRecords.features.parse(JSON.parse(left[i] ?? ''))
    t.match(told, told.type === 'window' ? { subject: { kind: 'segment' }, profile: {} } : { patterns: [] })
  }
  t.notMatch(left.join(), /198\.18\.1\.77|"dns"|"values":\[1[1-4]/)
  t.match(await store.all('SELECT topic FROM dead_letters'), [{ topic: 'up/features/4' }])
})

t.test('the past goes: weeks whole, windows after days', async (t) => {
  const { store, clock, decoy, window, took } = await profileWorld(t)
  await took(...Array.from({ length: 25 }, (_, i) => window(startedAt + i)))
  const retention = makeBaselineRetention({ store, clock, log: silentLog })
  t.equal(await retention.sweep(), 0)
  clock.move(8 * 86_400)
  t.equal(await retention.sweep(), 25, 'the single windows')
  t.match(await baselineOf(store, { decoy, port: 22 }), { n: 25 })
  clock.move(6 * 7 * 86_400)
  await retention.sweep()
  t.match(await baselineOf(store, { decoy, port: 22 }), { n: 0, from: 'none' })
  t.same(await store.all('SELECT * FROM baseline_subjects'), [])
})

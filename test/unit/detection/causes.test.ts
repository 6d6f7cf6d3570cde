import t from 'tap'
import { mergeProfiles } from '../../../controller/baselines/index.ts'
import { judgeRound, levelOf, type Subject, withCauses } from '../../../controller/detection/index.ts'
import { loadOf } from '../../../controller/detection/loads.ts'
import { tracksOf } from '../../../controller/detection/tracks.ts'
import { seededRandom } from '../../../shared/random.ts'
import type { Profile } from '../../../shared/schemas/baseline.ts'
import type { WindowSubject } from '../../../shared/schemas/observation.ts'
import { calm, drawProfile, type Truth } from '../../drift/simulated-profiles.ts'
import { subjectOf } from '../../drift/simulated-rounds.ts'
import { makeWorld } from './world.ts'

const slower: Truth = { ...calm, delayMs: calm.delayMs * 3 }
/** What a window of a decoy that nobody came to has. */
const quiet: Profile = { 'session.rate': { form: 'rate', count: 0, seconds: 300 } }

/** What each decoy of a fleet sees in a window of five minutes, and how busy the appliance is. */
type Fleet = {
  name: string
  decoys: number
  /** Mimicry instances of each decoy, which see the way to the other decoys. */
  instances?: number
  hour: (decoy: number, i: number) => { truth?: Truth; answers: number }
  cpu?: (i: number) => number
  expect: (string | undefined)[]
}
const answers = 20
const runs = 25
const asked = { answers }
const slow = { truth: slower, answers }
const unvisited = { answers: 0 }

const fleets: Fleet[] = [
  {
    name: 'two decoys, both slower by a bad switch',
    decoys: 2,
    hour: () => slow,
    expect: ['unclear', 'unclear'],
  },
  {
    name: 'three decoys, nobody comes to one, the others are slower',
    decoys: 3,
    hour: (decoy) => (decoy === 2 ? unvisited : slow),
    expect: ['unclear', 'unclear', undefined],
  },
  {
    name: 'three of six are asked, and all three are slower',
    decoys: 6,
    hour: (decoy) => (decoy < 3 ? slow : unvisited),
    expect: ['network', 'network', 'network', undefined, undefined, undefined],
  },
  {
    name: 'one of three is slower while the others are asked',
    decoys: 3,
    hour: (decoy) => (decoy === 1 ? slow : asked),
    expect: [undefined, 'interference', undefined],
  },
  {
    name: 'one of three is slower, the others were asked, and not while it was',
    decoys: 3,
    hour: (decoy, i) => (i < 6 ? (decoy === 1 ? unvisited : asked) : decoy === 1 ? slow : unvisited),
    expect: [undefined, 'unclear', undefined],
  },
  {
    name: 'a shortage with mimicry on',
    decoys: 4,
    instances: 2,
    hour: () => slow,
    cpu: () => 98,
    expect: Array(4).fill('shortage'),
  },
  {
    name: 'network trouble with mimicry on',
    decoys: 4,
    instances: 2,
    hour: () => slow,
    expect: Array(4).fill('network'),
  },
  {
    name: 'a flood of five minutes makes the appliance short',
    decoys: 4,
    hour: (decoy, i) => (i < 11 ? asked : decoy === 0 ? { truth: slower, answers: 400 } : unvisited),
    cpu: (i) => (i < 11 ? 15 : 99),
    expect: ['shortage', undefined, undefined, undefined],
  },
  {
    name: 'a flood that its decoy alone feels, though the machine is busy: others on it do not',
    decoys: 4,
    hour: (decoy, i) => (decoy === 0 && i === 11 ? { truth: slower, answers: 400 } : asked),
    cpu: (i) => (i < 11 ? 15 : 99),
    expect: ['interference', undefined, undefined, undefined],
  },
]

const drawn = ({ truth = calm, answers }: { truth?: Truth; answers: number }, seed: string) =>
  answers === 0 ? quiet : drawProfile(truth, answers, seededRandom(seed))
const wayOf = (seed: string): Profile => {
  const { 'response.delay': delay } = drawProfile(calm, answers, seededRandom(seed))
  return delay ? { 'path.delay': delay } : {}
}
const atOf = (i: number) => new Date(Date.UTC(2026, 2, 1, 12, 5 * i)).toISOString()

/** An hour of twelve windows, looked at as a round looks at it. */
async function causesIn({ name, decoys, instances = 0, hour, cpu = () => 15 }: Fleet) {
  const seen = (i: number, subject: Subject['subject'], expected: Profile, profileOf: (window: number) => Profile) => {
    const windows = Array.from({ length: 12 }, (_, at) => ({ at: atOf(at), seconds: 300, profile: profileOf(at) }))
    const profiles = windows.map(({ profile }) => profile)
    const observed = mergeProfiles(profiles, seededRandom(`${name}/${i}/all`))
    return { ...subjectOf(i, expected, observed), subject, tracks: tracksOf(subject, expected, windows) }
  }
  const subjects = Array.from({ length: decoys }, (_, i): Subject[] => {
    const decoy = `decoy-${i}`
    const port = { kind: 'decoy', decoy, port: 80 } as const
    const known = drawProfile(calm, 2000, seededRandom(`${name}/${i}/known`))
    return [
      seen(i, port, known, (at) => drawn(hour(i, at), `${name}/${i}/${at}`)),
      ...Array.from({ length: instances }, (_, instance) =>
        seen(i, { kind: 'mimicry', decoy, instance }, wayOf(`${name}/way/${i}`), (at) =>
          wayOf(`${name}/${i}/${instance}/${at}`),
        ),
      ),
    ]
  }).flat()
  const records = Array.from({ length: 120 }, (_, half) => ({
    ...({ type: 'health', at: new Date(Date.parse(atOf(-1)) + (half + 1) * 30_000).toISOString() } as const),
    ...{ cpuPercent: cpu(Math.floor(half / 10)), agentRssMb: 80, spoolMb: 0, spoolDepth: {}, probes: {} },
  }))
  return withCauses(await judgeRound(subjects, levelOf(300)), (_, spans) => loadOf(records, spans))
}

for (const fleet of fleets)
  t.test(`${fleet.name}: ${fleet.expect.map((one) => one ?? 'none')}`, async (t) => {
    const found = await causesIn(fleet)
    const of = (kind: WindowSubject['kind']) => found.filter((one) => one.kind === kind)
    t.strictSame(
      of('decoy').map(({ cause }) => cause),
      fleet.expect,
      found.flatMap(({ because }) => because ?? []).join('; '),
    )
    t.ok(
      of('mimicry').every(({ cause }) => cause === undefined),
      'instances did nothing',
    )
  })

/** Each decoy has its own visitors at its own times; all of them, or the first one, are slower for some windows. */
function drawnFleet(seed: string, whom: 'all' | 'one'): Fleet {
  const draw = seededRandom(seed)
  const decoys = 2 + Math.floor(5 * draw())
  const [from, lasting] = [Math.floor(8 * draw()), 2 + Math.floor(6 * draw())]
  const visits = Array.from({ length: decoys }, () => Array.from({ length: 12 }, () => draw() < 0.4))
  const many = Array.from({ length: decoys }, () => 5 + Math.floor(60 * draw()))
  return {
    ...{ name: seed, decoys, expect: [] },
    hour: (decoy, i) => {
      const isSlow = (whom === 'all' || decoy === 0) && i >= from && i < from + lasting
      return { answers: visits[decoy]?.[i] ? (many[decoy] ?? 0) : 0, ...(isSlow && { truth: slower }) }
    },
  }
}

t.test('whoever comes when to whom: of trouble of all nobody is blamed, and of trouble of one he alone', async (t) => {
  const told = { all: new Map<string, number>(), one: new Map<string, number>() }
  for (const whom of ['all', 'one'] as const)
    for (let i = 0; i < runs; i++)
      for (const { decoy, cause } of await causesIn(drawnFleet(`${whom}/${i}`, whom))) {
        if (!cause) continue
        told[whom].set(cause, (told[whom].get(cause) ?? 0) + 1)
        if (whom === 'one' && cause === 'interference') t.equal(decoy, 'decoy-0')
      }
  const [all, one] = [Object.fromEntries(told.all), Object.fromEntries(told.one)]
  t.comment(JSON.stringify({ all, one }))
  t.notOk(all.interference, JSON.stringify(all))
  t.ok(all.network, JSON.stringify(all))
  t.ok(one.interference, JSON.stringify(one))
  t.notOk(one.network ?? one.shortage, JSON.stringify(one))
})
t.test(
  'nobody is blamed while a cause is unclear; clear, it is another alert; of a retired decoy it is settled',
  async (t) => {
    const world = await makeWorld(`${t.testdir()}/db.sqlite`, 3)
    t.teardown(() => world.close())
    const pass = (minutes: number, of: (decoy: number) => { truth?: Truth; answers: number }) =>
      world.pass(minutes, (decoy) => world.window(decoy, drawn(of(decoy), `${decoy}/${world.at()}`)))
    const alerts = () =>
      world
        .store()
        .all<{ severity: string; title: string; reasons: string; ended_why: string | null }>(
          `SELECT * FROM alerts WHERE kind = 'drift' ORDER BY id`,
        )
    const evidence = () => world.store().all(`SELECT source FROM risk_evidence`)
    const [id = ''] = world.decoys
    const visit = (source: string) =>
      world
        .store()
        .run(
          `INSERT INTO sessions (agent, decoy, session, service, source, dst_port, first_at, last_at) VALUES (?, ?, ?, 'http', ?, 80, ?, ?)`,
          ...[world.agent, id, source, source, world.at(), world.at()],
        )

    await pass(240, () => asked)
    await world.look()
    await pass(20, () => unvisited)
    await visit('203.0.113.8')
    await pass(10, () => unvisited)
    await pass(30, (decoy) => (decoy === 0 ? slow : unvisited))
    await visit('203.0.113.9')
    await world.look()
    t.match(await alerts(), [{ severity: 'warning', title: /why is unclear/, reasons: /too few others were asked/ }])
    t.same(await evidence(), [])

    await pass(15, (decoy) => (decoy === 0 ? slow : asked))
    await world.look()
    const [unclear, clear, ...more] = await alerts()
    t.match(
      [unclear, clear],
      [{ ended_why: 'its cause is clear now' }, { severity: 'high', title: /alone/, ended_why: null }],
    )
    t.same(more, [])
    t.match(await evidence(), [{ source: '203.0.113.9' }], 'who was there before it began is not blamed')

    await world.store().run(`UPDATE decoys SET status = 'retired', changed_at = ? WHERE id = ?`, world.at(), id)
    await pass(5, () => asked)
    await world.look()
    t.match((await alerts())[1], { ended_why: 'it is no longer wanted' })
  },
)

import t from 'tap'
import { makeWorld, minute } from '../unit/detection/world.ts'
import { makeDriftLab } from './drift-lab.ts'

t.setTimeout(300_000)

const decoys = 4
const windows = 14
const visits = 8
const subjectsOf = ({ alerts }: { alerts: { subject: string }[] }) => alerts.map(({ subject }) => subject)

t.test('interference, shortage and network trouble are told apart by what real packets show', async (t) => {
  const lab = await makeDriftLab(t, decoys)
  const world = await makeWorld(`${t.testdir()}/db.sqlite`, decoys)
  t.teardown(() => world.close())

  /** What is observed goes the way of an agent's windows and health records; then comes a round. */
  async function round() {
    const { windows: seen, cpuPercent } = await lab.observe(windows, visits)
    world.clock.advance(2 * 60 * minute)
    const health = {
      type: 'health',
      at: world.at(),
      cpuPercent,
      agentRssMb: 80,
      spoolMb: 0,
      spoolDepth: {},
      probes: {},
    }
    await world.commit('health', [health])
    for (const { profiles, seconds } of seen)
      await world.commit(
        'features',
        profiles.map((profile, i) => world.window(i, profile, { seconds })),
      )
    const found = await world.look()
    const alerts = await world
      .store()
      .all<{ subject: string; title: string; reasons: string }>(
        `SELECT subject, title, reasons FROM alerts WHERE kind = 'drift' AND status <> 'closed'`,
      )
    const of = (i: number) => found.find(({ decoy }) => decoy === world.decoys[i])
    const words = world.decoys.map((_, i) => {
      const [first] = of(i)?.findings.filter(({ whose }) => whose !== 'visitors') ?? []
      return `${of(i)?.score} ${first?.feature}: ${first?.words}, q ${first?.q.toExponential(0)}, ${of(i)?.cause ?? 'none'}`
    })
    t.comment([`processor ${Math.round(cpuPercent)} %`, ...words].join('; '))
    return { of, alerts, causes: world.decoys.map((_, i) => of(i)?.cause), cpuPercent }
  }

  for (let i = 0; i < 2; i++) await round()
  const calm = await round()
  t.same(calm.alerts, [], 'nothing is found where nothing is wrong')

  const cease = await lab.pulses(2)
  const interfered = await round().finally(cease)
  t.strictSame(interfered.causes, [undefined, undefined, 'interference', undefined])
  t.equal(interfered.of(2)?.top?.feature, 'response.delay')
  t.strictSame(subjectsOf(interfered), [world.decoys[2]])
  t.match(interfered.alerts, [{ subject: world.decoys[2], reasons: /response\.delay of http \(port 80\)/ }])

  await lab.narrow('700kbit')
  const narrow = await round().finally(() => lab.narrow(undefined))
  t.strictSame(narrow.causes, Array(decoys).fill('network'))
  t.strictSame(subjectsOf(narrow), [world.segment])
  t.match(narrow.alerts, [{ subject: world.segment, title: /its network/ }], 'the interference is over, too')

  const end = await lab.hog()
  const short = await round().finally(end)
  t.ok(short.cpuPercent > 90, `${short.cpuPercent} %`)
  t.strictSame(short.causes, Array(decoys).fill('shortage'))
  t.strictSame(subjectsOf(short), [world.agent])
  t.match(short.alerts, [{ subject: world.agent, title: /short of resources/ }])

  t.same((await round()).alerts, [], 'all is well again')
})

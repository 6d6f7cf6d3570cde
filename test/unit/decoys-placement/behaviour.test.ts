import t, { type Test } from 'tap'
import { parseConfig } from '../../../controller/config.ts'
import { composePlan, makeDecoyActions, makeDecoyStateProjector } from '../../../controller/decoys/index.ts'
import { seededRandom } from '../../../shared/random.ts'
import { plan as planSchema } from '../../../shared/schemas/desired-state.ts'
import type { StreamRecord } from '../../../shared/schemas/envelope.ts'
import { card, cidr, host, iso, scan, testFleet } from '../segments/fleet.ts'

const places = {
  resolvers: [{ ip: '198.18.1.3' }],
  updates: [{ ip: '198.18.1.4', port: 8080, names: ['deb.corp.example'] }],
  clocks: [{ ip: '198.18.1.5' }],
}

async function setUp(t: Test, settings: object) {
  const fleet = await testFleet(t)
  const { store, clock, ids } = fleet
  await fleet.see(card(), host(10), scan('detail', 40))
  const config = parseConfig(JSON.stringify(settings), 'config.json')
  const actions = makeDecoyActions({ config, clock, random: seededRandom('behaviour') })
  await actions.warm()
  const deploy = () => store.tx((sql) => actions.deployOne(sql, ids.segment, 'a test'))
  const compose = (forgotten: string[] = []) =>
    composePlan(store, ids.agent, {
      config,
      neverBlock: async () => [],
      watched: async () => [cidr, '198.18.7.0/24'],
      forgotten: async () => forgotten,
    })
  const state = (decoy: string, ip: string, phase: 'ready' | 'withdrawn', at: number): StreamRecord<'state'> => ({
    type: 'decoy',
    at: iso(at),
    decoy,
    phase,
    ip,
    revision: 1,
    attempts: 0,
    restarts: 0,
  })
  return { ...fleet, deploy, compose, state }
}

t.test('observation goes into plans as configured, without the networks that are left out', async (t) => {
  const { compose } = await setUp(t, { observe: { except: ['198.18.1.128/25'], ringMb: 8 } })
  t.strictSame((await compose()).observe, {
    capture: true,
    ringMb: 8,
    ringHours: 24,
    windowSeconds: 60,
    mirrorPorts: [],
    probeEverySeconds: 900,
    segments: ['198.18.7.0/24'],
  })
  t.strictSame((await compose(['198.18.9.1/24'])).observe?.forget, ['198.18.9.0/24'])
  t.throws(() => parseConfig('{"observe":{"ringMb":0}}', 'config.json'), {
    code: 'CONFIG_INVALID',
    message: /observe\.ringMb is 0/,
  })
  t.throws(() => parseConfig('{"mimicry":{"level":"extreme"}}', 'config.json'), {
    message: /mimicry\.level is "extreme"/,
  })
})

t.test('decoys do nothing by themselves unless somebody chose it', async (t) => {
  const { deploy, compose } = await setUp(t, { mimicry: places })
  await deploy()
  t.match((await compose()).decoys, [{ mimicry: undefined, egress: [] }])
})

t.test(
  'decoys talk to what is configured and to those of their segment that answer, and may reach nothing else',
  async (t) => {
    const base = { cidr: '198.18.9.9/32', proto: 'tcp', port: 443 }
    const { deploy, compose, state, tell, ids } = await setUp(t, {
      decoys: { egress: [base] },
      mimicry: { level: 'low', ...places },
    })
    const [one, two] = [await deploy(), await deploy()]
    await tell(state(one.decoy, one.ip, 'ready', 60), state(two.decoy, two.ip, 'ready', 60))
    const body = await compose()
    const [first, second] = [one, two].map(({ decoy }) => body.decoys.find(({ id }) => id === decoy))
    t.match(first?.mimicry, {
      seed: `mimicry/${one.decoy}`,
      mimicryLevel: 'low',
      instantiations: 2,
      mostAnHour: 120,
      targets: [
        { role: 'resolver', ip: '198.18.1.3', port: 53, proto: 'udp', names: ['deb.corp.example'] },
        { role: 'updates', ip: '198.18.1.4', port: 8080, proto: 'tcp', names: ['deb.corp.example'] },
        { role: 'clock', ip: '198.18.1.5', port: 123, proto: 'udp' },
        { role: 'peer', ip: two.ip, port: second?.mimicry?.answerOn?.port },
      ],
      answerOn: { peers: [two.ip] },
      patterns: [],
    })
    t.strictSame(first?.egress, [base], 'the pod opens its targets for one process alone')
    const document = { kind: 'plan', agent: ids.agent, revision: 1, issuedAt: iso(0), expiresAt: iso(60), ...body }
    t.equal(planSchema.safeParse(document).success, true)
    t.strictSame(await compose(), body, 'the same state gives the same document')
    await tell(state(two.decoy, two.ip, 'withdrawn', 70))
    const after = (await compose()).decoys.find(({ id }) => id === one.decoy)
    t.equal(after?.mimicry?.targets.length, 3, 'an address that was left is no peer')
    t.equal(after?.mimicry?.answerOn, undefined)
  },
)

t.test('plans that name peers change when one begins or ends to answer', async (t) => {
  const { deploy, state, store, ids } = await setUp(t, { mimicry: { level: 'low' } })
  const { decoy, ip } = await deploy()
  const projector = makeDecoyStateProjector({ peers: true })
  const project = (at: number) =>
    store.tx((sql) =>
      projector.project(sql, [
        { pos: at, agent: ids.agent, stream: 'state', receivedAt: iso(at), record: state(decoy, ip, 'ready', at) },
      ]),
    )
  t.strictSame(await project(60), [{ name: 'plan-changed', agents: [ids.agent] }])
  t.strictSame(await project(61), [], 'the same again changes nothing')
})

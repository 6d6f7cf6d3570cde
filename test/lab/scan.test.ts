import { fileURLToPath } from 'node:url'
import t from 'tap'
import { newId } from '../../shared/ids.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import { hostSeen } from '../../shared/schemas/inventory.ts'
import { streamRecords } from '../../shared/schemas/records.ts'
import { plainPlan } from '../plain-plan.ts'
import { makeSegment, printed, run, runnerIn, spawnIn, until } from './namespace-segment.ts'

const runner = fileURLToPath(new URL('./scan-runner.ts', import.meta.url))
type Told = Record<string, unknown>

const plan = (revision: number, scan: Partial<Plan['scan']> = {}): Plan =>
  plainPlan({ revision }, { enabled: true, ...scan })

const image = 'marshlight/lab-host:dev'
const sshd = 'mkdir -p /run/sshd && ssh-keygen -A && exec /usr/sbin/sshd -D'
const nginx = "exec nginx -g 'daemon off;'"

const listens = (space: string, port: number) => async () =>
  (await run('ip', 'netns', 'exec', space, 'ss', '-Hltn', `sport = :${port}`)).trim() !== ''

const hostIs = (ip: string, depth?: string) => (one: Told) =>
  one.type === 'host' && one.ip === ip && (depth === undefined || one.depth === depth)
const scanIs = (phase: string, outcome: string) => (one: Told) =>
  one.type === 'scan' && one.phase === phase && one.outcome === outcome

t.setTimeout(240_000)

t.test(
  'a segment is learnt by itself: hosts at once, details after, changes only, and nobody else is touched',
  async (t) => {
    const segment = await makeSegment(t, 'scn')
    const appliance = await segment.host('app', '198.18.40.2/24')
    const secure = await segment.container('ssh', '198.18.40.10/24', '00:50:56:40:00:10', image, sshd)
    const web = await segment.container('web', '198.18.40.11/24', 'b8:27:eb:40:00:11', image, nginx)
    const excluded = await segment.host('exc', '198.18.40.200/24')
    await segment.macvlan('own', appliance, '198.18.40.30/24', '52:54:00:40:00:30')
    await segment.host('fleet', '198.18.40.31/24', '52:54:00:40:00:31')
    await until('sshd listens', listens(secure, 22))
    await until('nginx listens', listens(web, 80))
    const dump = spawnIn(excluded, 'tcpdump', '-lnni', 'seg0', 'arp and dst host 198.18.40.200 or tcp')
    let touched = ''
    dump.stdout?.on('data', (chunk: Buffer) => {
      touched += chunk.toString()
    })
    await printed(dump, /listening on/)

    const stateDir = t.testdir()
    const options = { stateDir, ownDecoys: [{ ip: '198.18.40.30', mac: '52:54:00:40:00:30' }] }
    let agent = runnerIn(t, appliance, runner, options)
    t.match(await agent.next((one) => one.type === 'segment'), {
      cidr: '198.18.40.0/24',
      nic: 'seg0',
      address: '198.18.40.2',
    })
    agent.send({ op: { name: 'scan', phase: 'quick' } })
    t.match(await agent.next((one) => one.type === 'refusal'), { code: 'CONFLICT' }, 'no plan, no scan')

    const begun = performance.now()
    const policy = { exclude: ['198.18.40.200/32'], decoyMacs: ['52:54:00:40:00:31'] }
    agent.send({ plan: plan(1, policy) })
    await agent.next(hostIs('198.18.40.10', 'quick'), 30)
    const firstMs = performance.now() - begun
    t.ok(firstMs < 30_000, `the first host after ${Math.round(firstMs)} ms`)
    t.match(await agent.next(scanIs('quick', 'done'), 60), { hostsUp: 2, targets: 256 })
    t.same((await agent.next((one) => one.type === 'full')).ips, ['198.18.40.10', '198.18.40.11'])
    await agent.next(scanIs('detail', 'done'), 120)
    t.comment(
      `first host after ${Math.round(firstMs)} ms, all details after ${Math.round(performance.now() - begun)} ms`,
    )

    const ssh = hostSeen.parse(await agent.next(hostIs('198.18.40.10', 'detail')))
    t.match(ssh, { mac: '00:50:56:40:00:10', vendor: /vmware/i })
    t.match(ssh.ports, [{ port: 22, proto: 'tcp', service: 'ssh', product: 'OpenSSH' }])
    t.match(ssh.ports[0]?.scripts?.banner, /^SSH-2\.0-OpenSSH/)
    t.match(ssh.ports[0]?.scripts?.['ssh2-enum-algos'], /curve25519-sha256[\s\S]*mac_algorithms/)
    t.match(ssh.os[0], { family: 'Linux' })
    const www = hostSeen.parse(await agent.next(hostIs('198.18.40.11', 'detail')))
    t.match(www, { vendor: /raspberry/i, ports: [{ port: 80, product: 'nginx' }] })
    for (const record of agent.told.filter(({ type }) => type !== 'running' && type !== 'refusal'))
      t.ok(streamRecords.inventory.safeParse(record).success, `${record.type} fits its schema`)
    t.notOk(
      agent.told.find((one) => one.type === 'host' && !['198.18.40.10', '198.18.40.11'].includes(one.ip as string)),
    )
    t.equal(touched, '', 'nothing was sent to the excluded host')

    let mark = agent.told.length
    agent.send({ op: { name: 'scan', phase: 'quick', cidr: '198.18.41.0/24' }, id: newId() })
    t.match(await agent.next((one) => one.type === 'refusal', 5, mark), { code: 'TARGET_OUTSIDE' })
    t.match(await agent.next(scanIs('quick', 'refused'), 5, mark), { reason: /198\.18\.41\.0/ })
    for (const cidr of ['198.18.40.200/32', '198.18.40.2/32', '198.18.40.30/32']) {
      mark = agent.told.length
      agent.send({ op: { name: 'scan', phase: 'quick', cidr } })
      t.match(
        await agent.next((one) => one.type === 'refusal', 5, mark),
        { code: 'TARGET_OUTSIDE' },
        `${cidr} is refused`,
      )
    }

    agent.send({ stop: true })
    await agent.ended
    agent = runnerIn(t, appliance, runner, options)
    await agent.next((one) => one.type === 'running')
    agent.send({ plan: plan(2, policy) })
    await run('ip', '-n', web, 'link', 'set', 'seg0', 'down')
    await segment.host('new', '198.18.40.12/24')
    for (const round of [1, 2]) {
      mark = agent.told.length
      const id = newId()
      agent.send({ op: { name: 'scan', phase: 'quick' }, id })
      await agent.next((one) => scanIs('quick', 'done')(one) && one.request === id, 60, mark)
      t.equal(
        agent.told.some((one) => one.type === 'gone'),
        round === 2,
        'gone after two misses, not after one',
      )
    }
    t.match(
      agent.told.filter((one) => one.type === 'gone'),
      [{ ip: '198.18.40.11' }],
    )
    const hosts = agent.told.filter((one) => one.type === 'host').map(({ ip }) => ip)
    t.same([...new Set(hosts)], ['198.18.40.12'], 'the restarted agent knew the rest and told only the newcomer')

    mark = agent.told.length
    agent.send({ op: { name: 'full-picture' } })
    t.same((await agent.next((one) => one.type === 'full', 5, mark)).ips, ['198.18.40.10', '198.18.40.12'])
    t.ok(agent.told.slice(mark).find(hostIs('198.18.40.10', 'detail')), 'with the details from before the restart')

    agent.send({ op: { name: 'scan', phase: 'detail' } })
    await agent.next(scanIs('detail', 'started'), 10, mark)
    const cancelled = performance.now()
    agent.send({ op: { name: 'scan.cancel' } })
    t.match(await agent.next(scanIs('detail', 'cancelled'), 10, mark), { reason: /cancelled on request/ })
    t.ok(performance.now() - cancelled < 1_000, 'cancelled within a second')

    mark = agent.told.length
    agent.send({ plan: plan(3, { ...policy, maxHosts: 100 }) })
    t.match(await agent.next(scanIs('quick', 'refused'), 15, mark), { reason: /SEGMENT_TOO_LARGE.*256.*100/ })
  },
)

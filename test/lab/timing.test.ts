import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { figuresOf } from '../../controller/baselines/index.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import type { HostSeen } from '../../shared/schemas/inventory.ts'
import { type FeatureWindow, featureWindow } from '../../shared/schemas/observation.ts'
import { plainPlan } from '../plain-plan.ts'
import { makeSegment, printed, run, runnerIn, spawnIn, until } from './namespace-segment.ts'

const runner = fileURLToPath(new URL('./timing-runner.ts', import.meta.url))
const client = fileURLToPath(new URL('./timing-client.py', import.meta.url))
const image = 'marshlight/lab-host:dev'
const sshd = 'mkdir -p /run/sshd && ssh-keygen -A && exec /usr/sbin/sshd -D'
const nginx = "exec nginx -g 'daemon off;'"
const cidr = '198.18.43.0/24'
const rounds = 15

const host = (ip: string, mac: string, port: number, service: string): HostSeen => ({
  type: 'host',
  at: new Date().toISOString(),
  cidr,
  ip,
  mac,
  names: [],
  depth: 'detail',
  ports: [{ port, proto: 'tcp', service }],
  os: [],
})
const plan = (segments: string[]): Plan =>
  plainPlan(
    {
      observe: {
        capture: false,
        ringMb: 1,
        ringHours: 1,
        windowSeconds: 60,
        segments,
        mirrorPorts: [],
        probeEverySeconds: 8,
      },
    },
    { enabled: true, decoyMacs: ['52:54:00:43:00:31'] },
  )
const valuesOf = (told: FeatureWindow[], service: string, feature: 'handshake.delay' | 'response.delay') =>
  told.flatMap((one) => {
    const seen = one.service === service ? one.profile[feature] : undefined
    return seen?.form === 'sample' ? seen.values : []
  })

t.setTimeout(120_000)

t.test(
  'real services are timed as another client times them, decoys never, and a segment can be left alone',
  async (t) => {
    const segment = await makeSegment(t, 'tim')
    const appliance = await segment.host('app', '198.18.43.2/24')
    const secure = await segment.container('ssh', '198.18.43.10/24', '00:50:56:43:00:10', image, sshd)
    const web = await segment.container('web', '198.18.43.11/24', '00:50:56:43:00:11', image, nginx)
    const decoy = await segment.host('dec', '198.18.43.31/24', '52:54:00:43:00:31')
    const listens = (space: string, port: number) => async () =>
      (await run('ip', 'netns', 'exec', space, 'ss', '-Hltn', `sport = :${port}`)).trim() !== ''
    await until('sshd listens', listens(secure, 22))
    await until('nginx listens', listens(web, 80))
    const dump = spawnIn(decoy, 'tcpdump', '-lnni', 'seg0', 'dst host 198.18.43.31')
    let touched = ''
    dump.stdout?.on('data', (chunk: Buffer) => {
      touched += chunk.toString()
    })
    await printed(dump, /listening on/)

    const nic = { cidr, nic: 'seg0', address: '198.18.43.2', mac: '00:00:00:43:00:02', dns: [] }
    const agent = runnerIn(t, appliance, runner, { nics: [nic], ownDecoys: [] })
    await agent.next((one) => one.type === 'running')
    agent.send({
      hosts: [
        host('198.18.43.10', '00:50:56:43:00:10', 22, 'ssh'),
        host('198.18.43.11', '00:50:56:43:00:11', 80, 'http'),
        host('198.18.43.31', '52:54:00:43:00:31', 22, 'ssh'),
        host('198.18.44.9', '00:50:56:43:00:12', 22, 'ssh'),
      ],
    })
    const windows = () => agent.told.filter((one) => one.type === 'window').map((one) => featureWindow.parse(one))
    agent.send({ plan: plan([]) })

    const measured = async (kind: string, ip: string, port: number, times: number): Promise<number[]> => {
      const child = spawnIn(appliance, 'python3', client, kind, ip, String(port), String(times))
      let text = ''
      child.stdout?.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      await once(child, 'close')
      return text.trim().split('\n').map(Number)
    }
    // By the agent's clock a minute passes.
    await measured('http', '198.18.43.11', 80, 15)
    t.same(windows(), [], 'a segment that is left alone tells nothing')

    agent.send({ plan: plan([cidr]) })
    // At the same time: the machine may be busy with something else.
    const [greetings, answers] = await Promise.all([
      measured('ssh', '198.18.43.10', 22, 20),
      measured('http', '198.18.43.11', 80, 20),
      until('both were asked often enough', async () => windows().length >= 2 * rounds, 60),
    ])
    agent.send({ plan: plan([]) })
    const told = windows()
    const typical = (values: number[]) =>
      figuresOf({ form: 'sample', unit: 'ms', n: values.length, values }).typical ?? 0
    t.ok(
      typical(valuesOf(told, 'ssh', 'handshake.delay')) > 2 * typical(valuesOf(told, 'http', 'response.delay')),
      'a slow server and a quick one are told apart',
    )
    for (const [service, feature, own] of [
      ['ssh', 'handshake.delay', greetings],
      ['http', 'response.delay', answers],
    ] as const) {
      const [seen, expected] = [valuesOf(told, service, feature), own].map((values) =>
        figuresOf({ form: 'sample', unit: 'ms', n: values.length, values }),
      )
      const words = `${service}: ${seen?.typical?.toFixed(2)} (${seen?.low?.toFixed(2)} to ${seen?.high?.toFixed(2)}) ms told, ${expected?.typical?.toFixed(2)} (${expected?.low?.toFixed(2)} to ${expected?.high?.toFixed(2)}) ms measured`
      // Both intervals are of 95 %; two programs on a busy machine differ by a millisecond besides.
      t.ok((seen?.low ?? 0) - 1 <= (expected?.high ?? 0) && (expected?.low ?? 0) - 1 <= (seen?.high ?? 0), words)
      t.comment(words)
    }
    t.ok(
      told.every(({ profile }) => profile['error.share']?.form === 'share' && profile['error.share'].part === 0),
      'none failed',
    )
    const kinds = told.find(({ service }) => service === 'ssh')?.profile['handshake.kind']
    t.match(
      kinds?.form === 'mix' && Object.keys(kinds.counts),
      [/^[0-9a-f]{32}$/],
      'what the server offers, as captures tell it',
    )
    t.equal(touched, '', 'the decoy was never spoken to')
    t.same([...new Set(told.map(({ subject }) => (subject.kind === 'service' ? subject.ip : '')))].sort(), [
      '198.18.43.10',
      '198.18.43.11',
    ])
    t.notMatch(JSON.stringify(told.map(({ profile }) => profile)), /\d+\.\d+\.\d+\.\d+/, 'no address in what was seen')
  },
)

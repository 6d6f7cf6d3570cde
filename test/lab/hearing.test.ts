import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import { type FeatureWindow, featureWindow } from '../../shared/schemas/observation.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { makeSegment, run, runnerIn, until } from './namespace-segment.ts'

const runner = fileURLToPath(new URL('./hearing-runner.ts', import.meta.url))
const cidr = '198.18.45.0/24'
const decoyMac = '52:54:00:45:00:31'
const plan = (segments: string[], mirrorPorts: string[] = []) =>
  ({
    decoys: [],
    scan: { decoyMacs: [decoyMac] },
    observe: { segments, mirrorPorts, windowSeconds: 3 },
  }) as unknown as Plan

/** A datagram to all of the segment, from a port of its own. */
const shout = (space: string, port: number) =>
  run(
    'ip',
    ...['netns', 'exec', space, 'python3', '-c'],
    `import socket; s=socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(1, 6, 1); s.bind(('', ${port})); s.sendto(b'x' * 90, ('198.18.45.255', 1900))`,
  )
const sources = (windows: FeatureWindow[]) =>
  windows.reduce((sum, { profile }) => {
    const rate = profile['session.rate']
    return sum + (rate?.form === 'rate' ? rate.count : 0)
  }, 0)

t.setTimeout(90_000)

t.test('what neighbours say to all is heard, without decoys, and no more once the segment is left alone', async (t) => {
  const segment = await makeSegment(t, 'hea')
  const appliance = await segment.host('app', '198.18.45.2/24')
  const neighbour = await segment.host('one', '198.18.45.10/24')
  const decoy = await segment.host('dec', '198.18.45.31/24', decoyMac)
  const mac = (await run('ip', 'netns', 'exec', appliance, 'cat', '/sys/class/net/seg0/address')).trim()
  const agent = runnerIn(t, appliance, runner, { stateDir: await tempFolder(t), nics: [{ nic: 'seg0', cidr, mac }] })
  await agent.next((one) => one.type === 'running')
  agent.send({ plan: plan([cidr]) })
  const { pid } = await agent.next((one) => one.type === 'listening')
  const windows = () => agent.told.filter((one) => one.type === 'window').map((one) => featureWindow.parse(one))

  let port = 5000
  await until('a neighbour is heard', async () => {
    await shout(neighbour, port++)
    return sources(windows()) > 0
  })
  t.match(windows().at(-1), { subject: { kind: 'segment', cidr }, missed: 0 })
  const seen = agent.told.filter(({ type }) => type === 'window' || type === 'conversations')
  t.notMatch(JSON.stringify(seen).replaceAll(cidr, ''), /198\.18\.45/, 'no address is told')

  // The neighbour is quiet now, and windows of it pass.
  const quiet = windows().length
  await until('what it said last was told', async () => windows().length >= quiet + 2)
  const before = sources(windows())
  const from = windows().length
  await until('windows pass', async () => {
    await shout(decoy, port++)
    return windows().length >= from + 2
  })
  t.equal(sources(windows()), before, 'a decoy is no neighbour')

  agent.send({ plan: plan([]) })
  await until('tcpdump ended', async () => !existsSync(`/proc/${pid}`))
  const told = windows().length
  await shout(neighbour, port++)
  agent.send({ stop: true })
  await agent.ended
  t.equal(windows().length, told, 'nothing is told of it any more')
})

/** Answers each line with a longer one, 20 ms later. */
const answering = `
import socket, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('198.18.45.11', 3306)); s.listen(8); print('ready', flush=True)
while True:
    c, _ = s.accept()
    while c.recv(400): time.sleep(0.02); c.sendall(b'y' * 700)
    c.close()
`
const asking = `
import socket
c = socket.create_connection(('198.18.45.11', 3306), 5)
for _ in range(5):
    c.sendall(b'x' * 120)
    got = 0
    while got < 700: got += len(c.recv(4096))
c.close()
`

t.test('what two others say to each other is heard at a port that a switch mirrors to, and only there', async (t) => {
  const segment = await makeSegment(t, 'mir')
  const appliance = await segment.host('app', '198.18.45.2/24')
  const one = await segment.host('one', '198.18.45.10/24')
  const two = await segment.host('two', '198.18.45.11/24')
  // The switch gives all that comes in and goes out at the port of `one` to the appliance’s second card, which has no address.
  const tc = (...argv: string[]) => run('ip', 'netns', 'exec', segment.bridge, 'tc', ...argv)
  await run(
    'ip',
    '-n',
    segment.bridge,
    'link',
    'add',
    'span',
    'type',
    'veth',
    'peer',
    'name',
    'mir0',
    'netns',
    appliance,
  )
  await run('ip', '-n', segment.bridge, 'link', 'set', 'span', 'up')
  await run('ip', '-n', appliance, 'link', 'set', 'mir0', 'up')
  await tc('qdisc', 'add', 'dev', 'port1', 'clsact')
  for (const way of ['ingress', 'egress'])
    await tc(
      ...`filter add dev port1 ${way} protocol all u32 match u32 0 0 action mirred egress mirror dev span`.split(' '),
    )

  const server = spawn('ip', ['netns', 'exec', two, 'python3', '-c', answering], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => server.kill('SIGKILL'))
  await once(server.stdout, 'data')
  const talk = () => run('ip', 'netns', 'exec', one, 'python3', '-c', asking)
  const mac = (await run('ip', 'netns', 'exec', appliance, 'cat', '/sys/class/net/seg0/address')).trim()
  const agent = runnerIn(t, appliance, runner, { stateDir: await tempFolder(t), nics: [{ nic: 'seg0', cidr, mac }] })
  await agent.next((told) => told.type === 'running')
  const windows = () => agent.told.filter((told) => told.type === 'window').map((told) => featureWindow.parse(told))
  const answers = (some: FeatureWindow[]) =>
    some.flatMap(({ profile }) =>
      profile['response.delay']?.form === 'sample' ? profile['response.delay'].values : [],
    )

  agent.send({ plan: plan([cidr]) })
  await agent.next((told) => told.type === 'listening')
  await until('windows of the own card pass', async () => {
    await talk()
    return windows().length >= 2
  })
  t.strictSame(answers(windows()), [], 'a switch does not give its own card what is for others')

  const from = windows().length
  agent.send({ plan: plan([cidr], ['mir0']) })
  await until('the others are heard', async () => {
    await talk()
    return answers(windows().slice(from)).length > 0
  })
  const heard = windows()
    .slice(from)
    .filter((window) => answers([window]).length > 0)
  t.ok(
    answers(heard).every((ms) => ms >= 19 && ms < 500),
    `answered after ${answers(heard)} ms`,
  )
  t.match(heard[0], { subject: { kind: 'segment', cidr }, missed: 0 })
  await until('their conversation is over', async () => conversationsOf(agent.told).length > 0)
  t.match(conversationsOf(agent.told)[0], { kind: 'mysql', exchanges: [{ response: 700 }] })
  const seen = agent.told.filter(({ type }) => type === 'window' || type === 'conversations')
  t.notMatch(JSON.stringify(seen).replaceAll(cidr, ''), /198\.18\.45/, 'no address is told')
  agent.send({ stop: true })
  await agent.ended
})

const conversationsOf = (told: readonly Record<string, unknown>[]) =>
  told.flatMap((one) =>
    one.type === 'conversations' ? (one as unknown as { conversations: { kind: string }[] }).conversations : [],
  )

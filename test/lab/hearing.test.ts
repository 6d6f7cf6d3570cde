import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import { type FeatureWindow, featureWindow } from '../../shared/schemas/observation.ts'
import { makeSegment, run, runnerIn, until } from './namespace-segment.ts'

const runner = fileURLToPath(new URL('./hearing-runner.ts', import.meta.url))
const cidr = '198.18.45.0/24'
const decoyMac = '52:54:00:45:00:31'
const plan = (segments: string[]) =>
  ({
    decoys: [],
    scan: { decoyMacs: [decoyMac] },
    observe: { segments, mirrorPorts: [], windowSeconds: 3 },
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
  const agent = runnerIn(t, appliance, runner, { stateDir: t.testdir(), nics: [{ nic: 'seg0', cidr, mac }] })
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

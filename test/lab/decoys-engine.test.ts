import t from 'tap'
import { keepProcess, makeDockerEngine } from '../../agent/engine/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { newId } from '../../shared/ids.ts'
import { silentLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import { engineConformance } from '../unit/engine/conformance.ts'
import { idleContainer } from '../unit/engine/idle-container.ts'
import { makeSegment } from './decoys-segment.ts'

const socket = '/var/run/docker.sock'
const base = 'marshlight/base:dev'
const deps = { socket, log: silentLog, clock: systemClock, random: systemRandom }

// One after the other they use it: each removes its networks at its end.
const segment = makeSegment(t)

engineConformance(t, 'Docker', async (t) => {
  const agent = newId()
  const prefix = `decoys-${agent.slice(-8)}`
  const engine = makeDockerEngine({ ...deps, agentLabel: agent })
  t.teardown(async () => {
    for (const { id } of await engine.containers()) await engine.remove(id)
    for (const { name, labels } of await engine.networks())
      if (labels['marshlight.agent'] === agent) await engine.removeNetwork(name)
  })
  const { nic: parent, cidr, address } = segment
  return { engine, agent, prefix, image: base, parent, cidr, address, ip: cidr.replace('0/24', '20') }
})

t.test('another agent’s containers and networks are neither seen nor removed', async (t) => {
  const [mine, foreign] = [newId(), newId()]
  const engine = makeDockerEngine({ ...deps, agentLabel: mine })
  const other = makeDockerEngine({ ...deps, agentLabel: foreign })
  const id = await other.create(idleContainer(`decoys-${foreign.slice(-8)}`, { 'marshlight.agent': foreign }, base))
  t.teardown(() => other.remove(id))
  t.same(await engine.containers(), [])
  await t.rejects(engine.remove(id), { code: 'CONFLICT' })
  await t.rejects(engine.removeNetwork('bridge'), { code: 'CONFLICT' })
  await other.start(id)
  t.match(await other.exec(id, ['sh', '-c', 'echo here; exit 3']), { exitCode: 3, output: 'here\n' })
})

t.test('an engine that is not there is told with its socket', async (t) => {
  const engine = makeDockerEngine({ ...deps, socket: '/nonexistent/docker.sock', agentLabel: newId() })
  await t.rejects(engine.ping(), { code: 'DOCKER_UNREACHABLE', message: /\/nonexistent\/docker\.sock/ })
})

t.test('a process in a container is kept: lines in and out, begun again when it ends, gone with `stop`', async (t) => {
  const mine = newId()
  const engine = makeDockerEngine({ ...deps, agentLabel: mine })
  const id = await engine.create(idleContainer(`mimicry-${mine.slice(-8)}`, { 'marshlight.agent': mine }, base))
  t.teardown(() => engine.remove(id))
  await engine.start(id)
  const lines: string[] = []
  let more = () => {}
  let starts = 0
  const until = async (count: number) => {
    while (lines.length < count) await new Promise<void>((resolve) => (more = resolve))
  }
  const kept = keepProcess(
    { engine, clock: systemClock, log: silentLog },
    {
      container: id,
      argv: ['sh', '-c', 'echo begun; while read line; do echo "heard $line"; [ "$line" = end ] && exit 3; done; :'],
      onLine: (line) => {
        lines.push(line)
        more()
      },
      onStarted: () => kept.say(`start ${++starts}`),
      firstPauseMs: 10,
    },
  )
  await until(2)
  kept.say('end')
  await until(5)
  t.same(lines.toSorted(), ['begun', 'begun', 'heard end', 'heard start 1', 'heard start 2'])
  await kept.stop()
  t.notOk(kept.running(), 'its input ended, and so did it')
})

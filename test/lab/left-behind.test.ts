import { execFileSync } from 'node:child_process'
import t from 'tap'
import { decoyOf, makeAppliance, phase, planOf } from './decoys-appliance.ts'
import { makeSegment } from './decoys-segment.ts'

t.setTimeout(120_000)
const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' })

t.test('a segment is made anew where a test that was killed left one', async (t) => {
  const ends: (() => unknown)[] = []
  const killed = makeSegment({ teardown: (end: () => unknown) => ends.push(end) }, 59)
  run('docker', 'network', 'create', '-d', 'macvlan', '-o', `parent=${killed.nic}`, '--subnet', killed.cidr, killed.nic)
  run('docker', 'create', '--network', killed.nic, '--name', `${killed.nic}-pod`, 'marshlight/pod:dev')

  const segment = makeSegment(t, 59)
  const { agent, reported, decoys } = await makeAppliance(t, segment)
  await decoys.start(new AbortController().signal)
  const decoy = decoyOf(segment, 20, 'attic-nas')
  decoys.applyPlan(planOf(agent, 1, [decoy]))
  await reported(phase(decoy.id, 'ready'))
  t.notMatch(run('ip', 'netns', 'list'), killed.bridge, 'its namespaces are gone')
  t.notMatch(run('docker', 'network', 'ls'), killed.nic, 'its network')
  t.notMatch(run('docker', 'ps', '-a'), killed.nic, 'and its containers')
})

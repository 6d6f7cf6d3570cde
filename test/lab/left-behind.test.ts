import { execFileSync } from 'node:child_process'
import t from 'tap'
import { decoyOf, makeAppliance, phase, planOf } from './decoys-appliance.ts'
import { makeSegment } from './decoys-segment.ts'
import { nextNumber } from './segment-numbers.ts'

t.setTimeout(120_000)
const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' })

const third = nextNumber()

/** A test that ends without its teardown, with a network and a container on its segment. */
const leaving = `import { execFileSync } from 'node:child_process'
import { makeSegment } from '${new URL('./decoys-segment.ts', import.meta.url)}'
const { nic, bridge, cidr } = makeSegment({ teardown() {} }, ${third})
const docker = (...args) => execFileSync('docker', args)
docker('network', 'create', '-d', 'macvlan', '-o', 'parent=' + nic, '--subnet', cidr, nic)
docker('create', '--network', nic, '--name', nic + '-pod', 'marshlight/pod:dev')
console.log(JSON.stringify({ nic, bridge }))`

t.test('a segment is made anew where a test that was killed left one', async (t) => {
  const killed = JSON.parse(run(process.execPath, '-e', leaving)) as { nic: string; bridge: string }

  const segment = makeSegment(t, third)
  const { agent, reported, decoys } = await makeAppliance(t, segment)
  await decoys.start(new AbortController().signal)
  const decoy = decoyOf(segment, 20, 'attic-nas')
  decoys.applyPlan(planOf(agent, 1, [decoy]))
  await reported(phase(decoy.id, 'ready'))
  t.throws(() => makeSegment({ teardown() {} }, third), /process \d+, which runs/, 'a running test keeps its own')
  t.notMatch(run('ip', 'netns', 'list'), killed.bridge, 'its namespaces are gone')
  t.notMatch(run('docker', 'network', 'ls'), killed.nic, 'its network')
  t.notMatch(run('docker', 'ps', '-a'), killed.nic, 'and its containers')
})

import t from 'tap'
import { specsOf } from '../../../agent/decoys/specs.ts'
import { newId } from '../../../shared/ids.ts'
import { decoyOf, personaOf } from './desired.ts'

const nic = { nic: 'eth1', cidr: '198.18.7.0/24', address: '198.18.7.2' }
const images = { pod: 'p', cowrie: 'c', services: 's', web: 'w' }

t.test('whatever answers for a decoy has no right, no way to write, and bounds', async (t) => {
  const desired = decoyOf(20, { services: ['cowrie', 'services', 'web'] })
  const { services } = specsOf(desired, personaOf(1), nic, { agent: newId(), images, folder: '/state' })
  t.same(
    services.map(({ name }) => name),
    ['cowrie', 'services', 'web'],
  )
  for (const { name, spec } of services) {
    t.match(spec.user, /^[1-9]\d*:[1-9]\d*$/, `${name} runs as nobody of importance`)
    t.same([spec.capDrop, spec.capAdd], [['ALL'], []], name)
    t.equal(spec.readOnlyRoot, true, name)
    t.equal(spec.systemCalls, 'service', `${name} has only the system calls that services need, ptrace not among them`)
    t.ok(spec.memoryMb <= 192 && spec.pids <= 64 && spec.cpus <= 1, name)
    t.notOk(
      spec.mounts.some(({ target, readOnly }) => target.includes('control') && !readOnly),
      `${name} cannot change what steers it`,
    )
  }
})

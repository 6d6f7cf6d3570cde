import t from 'tap'
import { foretold } from '../../../agent/audit/probes/system.ts'
import { podNetwork } from '../../../agent/decoys/pod-network.ts'
import { networkLimits } from '../../../shared/network-limits.ts'
import type { PersonaNetwork, ServiceKind } from '../../../shared/schemas/persona.ts'
import { personaOf } from '../../lab/cowrie-persona.ts'

const windows: PersonaNetwork = {
  stack: 'windows',
  window: 65535,
  mss: 1460,
  windowScale: 8,
  sack: true,
  timestamps: false,
  ecn: false,
  icmpEcho: false,
  closedTcp: 'drop',
  closedUdp: 'unreachable',
}
const of = (network?: PersonaNetwork) => podNetwork({ ...personaOf('host', 1), ttl: 128, ...(network && { network }) })

t.test('a persona without a stack of its own keeps the kernel’s', async (t) => {
  const { sysctls, file } = of()
  t.same(Object.keys(sysctls).length, 3)
  t.equal(sysctls['net.ipv4.ip_default_ttl'], '128')
  t.same(file, {})
})

t.test('what the kernel can do is set there, the rest is left to rules', async (t) => {
  const { sysctls, file } = of(windows)
  t.match(sysctls, {
    'net.ipv4.tcp_timestamps': '0',
    'net.ipv4.tcp_ecn': '0',
    'net.ipv4.icmp_echo_ignore_all': '1',
    // 2^(15 + 8)
    'net.ipv4.tcp_rmem': '4096 131072 8388608',
  })
  t.match(file, { options: 'scale-first', windowScale: 8, window: 65535, ipId: 'increment', closedTcp: 'drop' })
  t.notHas(file, { mss: 1460 }, 'it is Ethernet’s own')
  t.equal(file.ipIdFrom, of(windows).file.ipIdFrom, 'the same at every start')
})

t.test('the report says where a Linux kernel cannot', async (t) => {
  t.same(networkLimits({}), [])
  t.same(networkLimits({ network: { ...windows, stack: 'linux' } }), [])
  t.ok(networkLimits({ network: { ...windows, stack: 'bsd', mss: 9000 } }).length > 3)
})

t.test('a finding that the limits of the persona announce is told as such', async (t) => {
  const words = 'another kind of system'
  t.match(foretold({ network: { ...windows, stack: 'bsd' } }, 'class', words), /^another kind.*announce.*sees Linux/)
  t.match(foretold({ network: { ...windows, stack: 'switch' } }, 'class', words), /other network devices/)
  t.equal(foretold({ network: windows }, 'class', words), words, 'its limits are finer than the class')
  t.equal(foretold({}, 'class', words), words)
  t.match(foretold({ network: { ...windows, mss: 9000 } }, 'options', words), /MSS above 1460/)
  t.equal(foretold({ network: windows }, 'options', words), words)
})

t.test('only what answers all of a link, or from a new port, has an answer let out by who asked', async (t) => {
  const service = (kind: ServiceKind, port: number) => ({ kind, port, product: '', version: '', settings: {} })
  const persona = {
    ...personaOf('host', 1),
    services: [service('netbios', 137), service('mdns', 5353), service('tftp', 69), service('snmp', 161)],
  }
  t.match(podNetwork(persona).file, { answers: [137, 5353], transfers: [69] }, 'also without a stack of its own')
  t.same(podNetwork({ ...persona, services: [service('snmp', 161)] }).file, {})
})

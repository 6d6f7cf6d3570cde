import ipaddr from 'ipaddr.js'
import t from 'tap'
import { layoutAt, places } from '../../simulation/lab/layout.ts'
import { labRange, refuseTargetsOutside } from '../../simulation/lab/targets.ts'

t.test('every place lies in the benchmarking range and shares no network with another', async (t) => {
  const range = ipaddr.IPv4.parseCIDR(labRange)
  const layouts = Array.from({ length: places }, (_, place) => layoutAt(place))
  const networks = layouts.flatMap((layout) => layout.segments.map((segment) => segment.cidr))
  t.equal(new Set(networks).size, networks.length)
  for (const { segments, machines } of layouts) {
    for (const machine of machines) {
      const ip = ipaddr.IPv4.parse(machine.ip)
      const cidr = segments.find((segment) => segment.name === machine.segment)?.cidr ?? ''
      if (!ip.match(range) || !ip.match(ipaddr.IPv4.parseCIDR(cidr))) t.fail(`${machine.name} has ${machine.ip}`)
    }
  }
})

t.test('a segment has at least six hosts, each with services, an address and a MAC of its own', async (t) => {
  const { machines } = layoutAt(0)
  for (const field of ['name', 'ip', 'mac'] as const) {
    t.equal(new Set(machines.map((machine) => machine[field])).size, machines.length, field)
  }
  for (const segment of ['seg-a', 'seg-b']) {
    const hosts = machines.filter((machine) => machine.role === 'host' && machine.segment === segment)
    t.ok(hosts.length >= 6, segment)
    t.ok(hosts.every((host) => host.ports.length > 0))
  }
})

t.test('a command may name targets of the lab and of its own machine, and no others', async (t) => {
  for (const good of [
    '198.18.1.7',
    '198.19.0.0/24',
    '127.0.0.1',
    'http://198.19.0.80/x',
    '198.18.0.0/15',
    'web-01',
    '999.1.1.1',
  ]) {
    t.doesNotThrow(() => refuseTargetsOutside(['nmap', good]), good)
  }
  for (const bad of [
    '10.0.0.1',
    '198.17.255.255',
    '198.20.0.0',
    '198.16.0.0/12',
    '198.18.0.0/14',
    '198.18.1.1,8.8.8.8',
  ]) {
    t.throws(() => refuseTargetsOutside(['nmap', bad]), { code: 'TARGET_OUTSIDE' }, bad)
  }
})

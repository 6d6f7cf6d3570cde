import t from 'tap'
import { servicesToAsk } from '../../../agent/timing/services.ts'
import { windowOf } from '../../../agent/timing/told.ts'
import { featureWindow } from '../../../shared/schemas/observation.ts'

const nic = (cidr: string, address: string) => ({ cidr, nic: 'eth0', address, mac: '00:50:56:00:00:02', dns: [] })
const host = (ip: string, more: object = {}) => ({
  type: 'host' as const,
  at: '2026-11-21T15:00:00Z',
  cidr: '198.18.1.0/24',
  ip,
  mac: `00:50:56:00:01:${ip.split('.')[3]?.padStart(2, '0').slice(-2)}`,
  names: [],
  depth: 'detail' as const,
  ports: [{ port: 22, proto: 'tcp' as const, service: 'ssh' }],
  os: [],
  ...more,
})
const scan = {
  enabled: true,
  ranges: [],
  exclude: ['198.18.1.60/32'],
  decoyMacs: ['52:54:00:00:00:31'],
  maxRate: 300,
  quickEverySeconds: 300,
  detailEverySeconds: 3600,
  fullPictureEverySeconds: 3600,
  maxHosts: 4096,
}
const observe = {
  capture: true,
  ringMb: 8,
  ringHours: 1,
  windowSeconds: 60,
  segments: ['198.18.1.0/24'],
  mirrorPorts: [],
  probeEverySeconds: 60,
}
const asked = (hosts: ReturnType<typeof host>[], more: object = {}) =>
  servicesToAsk({
    plan: { observe, scan, decoys: [] },
    nics: [nic('198.18.1.0/24', '198.18.1.2'), nic('198.18.2.0/24', '198.18.2.2')],
    hosts,
    ownDecoys: [{ ip: '198.18.1.30', mac: '52:54:00:00:00:30' }],
    ...more,
  }).map(({ ip, port, kind }) => `${ip} ${port} ${kind}`)

t.test('asked is what the scan found in a segment that is looked at, and nobody else', async (t) => {
  t.same(asked([host('198.18.1.10')]), ['198.18.1.10 22 ssh'])
  const refused: Record<string, ReturnType<typeof host>> = {
    'a decoy of ours': host('198.18.1.30'),
    'a decoy of ours at another address': host('198.18.1.40', { mac: '52:54:00:00:00:30' }),
    'a decoy of the fleet': host('198.18.1.41', { mac: '52:54:00:00:00:31' }),
    'who shows no MAC': host('198.18.1.42', { mac: undefined }),
    'who is excluded': host('198.18.1.60'),
    'the appliance': host('198.18.1.2'),
    'a segment that is not looked at': host('198.18.2.10', { cidr: '198.18.2.0/24' }),
    'another network': host('198.18.3.10', { cidr: '198.18.1.0/24' }),
  }
  for (const [who, one] of Object.entries(refused)) t.same(asked([one]), [], who)
  const plan = { observe, scan, decoys: [] }
  t.same(asked([host('198.18.1.10')], { plan: { scan, decoys: [] } }), [], 'a plan that observes nothing')
  t.same(
    asked([host('198.18.1.10')], { plan: { ...plan, decoys: [{ ip: '198.18.1.10', mac: '' }] } }),
    [],
    'a decoy to be',
  )
  const open = { plan: { ...plan, observe: { ...observe, segments: ['203.0.113.0/24'] } } }
  const place = { ...open, nics: [nic('203.0.113.0/24', '203.0.113.2')] }
  t.same(asked([host('203.0.113.10')], place), [], 'a network that is not private')
})

t.test('only kinds that bear it', async (t) => {
  const port = (port: number, service: string, proto: 'tcp' | 'udp' = 'tcp') => ({ port, proto, service })
  const ports = [port(53, 'domain', 'udp'), port(80, 'http'), port(445, 'microsoft-ds'), port(9100, 'jetdirect')]
  const more = [port(3306, 'mysql'), port(5900, 'vnc'), port(502, 'modbus'), port(80, 'http', 'udp')]
  t.same(asked([host('198.18.1.10', { ports: [...ports, ...more] })]), [
    '198.18.1.10 53 dns',
    '198.18.1.10 80 http',
    '198.18.1.10 445 smb',
  ])
  const many = Array.from({ length: 40 }, (_, i) => port(8000 + i, 'http'))
  t.equal(asked([host('198.18.1.10', { ports: many })]).length, 8)
})

t.test('a visit is a window of the service, without a word of what was said', async (t) => {
  const service = { cidr: '198.18.1.0/24', ip: '198.18.1.10', port: 80, kind: 'http', from: '198.18.1.2' } as const
  const seen = { connectMs: 0.4, responseMs: 12.5, requestBytes: 170, responseBytes: 900, failed: false }
  const told = featureWindow.parse(windowOf(service, seen, '2026-11-21T15:00:00Z', 60))
  t.match(told, {
    subject: { kind: 'service', port: 80 },
    service: 'http',
    seconds: 60,
    profile: { 'response.delay': { n: 1, values: [12.5] }, 'error.share': { part: 0, of: 1 } },
  })
  t.notMatch(JSON.stringify(told.profile), /\d+\.\d+\.\d+\.\d+/)
  t.same(Object.keys(windowOf(service, { failed: true }, '2026-11-21T15:00:00Z', 60).profile), ['error.share'])
})

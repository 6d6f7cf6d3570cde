import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { type Inventory, type Look, portSet, takeIn, takeOut } from '../../../agent/scan/differences.ts'
import { heldPath, readInventory, writeInventory } from '../../../agent/scan/held-inventory.ts'
import type { FoundHost } from '../../../agent/scan/nmap-xml.ts'
import { type Due, firstDue, nextDue, shortened } from '../../../agent/scan/schedule.ts'
import { ouiVendors } from '../../../agent/scan/vendors.ts'
import { seededRandom } from '../../../shared/random.ts'
import type { ScanPolicy } from '../../../shared/schemas/desired-state.ts'

const look = (kind: Look['kind'], scanned = '', at = '2026-01-01T00:00:00Z'): Look => ({
  kind,
  scanned,
  at,
  cidr: '198.18.1.0/24',
})
const found = (ip: string, rest: Partial<FoundHost> = {}): FoundHost => ({
  ip,
  mac: 'b8:27:eb:00:00:01',
  names: [],
  ports: [],
  os: [],
  timedOut: false,
  ...rest,
})
const ssh = { port: 22, proto: 'tcp' as const, service: 'ssh' }
const sshDetail = { ...ssh, product: 'OpenSSH', version: '9.2p1' }
const linux = { name: 'Linux 5.4', family: 'Linux', accuracy: 96 }

t.test('a host is told when it appears and when something changes, and not otherwise', async (t) => {
  const inventory: Inventory = new Map()
  const steps: [FoundHost, Look, number][] = [
    [found('198.18.1.9'), look('alive'), 1],
    [found('198.18.1.9'), look('alive', '', '2026-01-02T00:00:00Z'), 0],
    [found('198.18.1.9', { ports: [ssh] }), look('ports', '21-23'), 1],
    [found('198.18.1.9', { ports: [sshDetail], os: [linux] }), look('detail', '1-1000'), 1],
    [found('198.18.1.9', { ports: [ssh] }), look('ports', '21-23'), 0],
    [
      found('198.18.1.9', { ports: [sshDetail], os: [{ ...linux, name: 'Linux 5.3', accuracy: 95 }] }),
      look('detail', '1-1000'),
      0,
    ],
    [found('198.18.1.9', { timedOut: true }), look('detail', '1-1000'), 0],
    [found('198.18.1.9', { names: ['printer.example'] }), look('alive'), 1],
    [found('198.18.1.9'), look('ports', '21-23'), 1],
  ]
  for (const [i, [host, how, told]] of steps.entries())
    t.equal(takeIn(inventory, [host], how).length, told, `step ${i}`)
  t.match(inventory.get('198.18.1.9')?.host, { depth: 'detail', ports: [], names: ['printer.example'], os: [linux] })
})

t.test('another MAC at the address is another machine: nothing of the old one stays', async (t) => {
  const inventory: Inventory = new Map()
  takeIn(inventory, [found('198.18.1.9', { ports: [sshDetail], os: [linux], names: ['old'] })], look('detail', '22'))
  const [host] = takeIn(inventory, [found('198.18.1.9', { mac: 'b8:27:eb:00:00:02' })], look('alive'))
  t.match(host, { mac: 'b8:27:eb:00:00:02', depth: 'quick', ports: [], names: [], os: [] })
})

t.test('a port out of the looked-at ones stays; ranges read as nmap writes them', async (t) => {
  const inventory: Inventory = new Map()
  takeIn(
    inventory,
    [found('198.18.1.9', { ports: [sshDetail, { port: 9000, proto: 'tcp' }] })],
    look('detail', '22,9000'),
  )
  const [host] = takeIn(inventory, [found('198.18.1.9')], look('ports', '1-100'))
  t.match(host?.ports, [{ port: 9000 }])
  t.same([...portSet('22,80-82,x,9-,70000')], [22, 80, 81, 82])
})

t.test('whoever misses two quick passes in a row is gone, once, and only where was looked', async (t) => {
  const inventory: Inventory = new Map()
  takeIn(inventory, [found('198.18.1.9'), found('198.18.1.10')], look('alive'))
  const all = () => true
  t.same(takeOut(inventory, new Set(['198.18.1.10']), all), [])
  takeIn(inventory, [found('198.18.1.9')], look('alive'))
  t.same(takeOut(inventory, new Set(['198.18.1.10']), all), [], 'it came back in between')
  t.same(
    takeOut(inventory, new Set(), () => false),
    [],
  )
  t.match(takeOut(inventory, new Set(['198.18.1.10']), all), [{ ip: '198.18.1.9' }])
  t.same(takeOut(inventory, new Set(['198.18.1.10']), all), [])
})

const policy = { quickEverySeconds: 300, detailEverySeconds: 3600, fullPictureEverySeconds: 86400 } as ScanPolicy

t.test(
  'a fleet does not scan in step, quick passes come first, and a clock set back does not put scans off',
  async (t) => {
    const random = seededRandom('schedule')
    const times = Array.from({ length: 500 }, () => nextDue(policy, 'quick', 0, random))
    t.ok(Math.min(...times) >= 270_000 && Math.max(...times) <= 330_000 && new Set(times).size > 400)
    const first = (...dues: Due[]) => firstDue(dues, (due) => due, 5)?.[1]
    t.equal(first({ quick: 0, full: 0, detail: 0 }), 'quick')
    t.equal(first({ quick: 9, full: 0, detail: 0 }), 'full')
    t.equal(first({ quick: 9, full: 9, detail: 0 }, { quick: 9, full: 9, detail: 9 }), 'detail')
    t.equal(first({ quick: 9, full: 0, detail: 0 }, { quick: 5, full: 9, detail: 9 }), 'quick', 'of another segment')
    t.equal(first({ quick: 9, full: 9, detail: 9 }), undefined)
    t.same(shortened({ quick: 9e12, full: 9e12, detail: 7 }, policy, 1000), {
      quick: 331_000,
      full: 95_041_000,
      detail: 7,
    })
  },
)

t.test('the inventory survives a restart; a damaged file is set aside and the inventory begins anew', async (t) => {
  const dir = t.testdir()
  const inventory: Inventory = new Map()
  takeIn(inventory, [found('198.18.1.9', { ports: [sshDetail], os: [linux] })], look('detail', '22'))
  const segments = new Map([['198.18.1.0/24', { due: { quick: 1, full: 2, detail: 3 }, surveyed: true, inventory }]])
  await writeInventory(dir, segments)
  t.same((await readInventory(dir, 1)).segments, segments)
  await writeFile(heldPath(dir), '{"v":1,"segments":[{"cidr"')
  const after = await readInventory(dir, 7)
  t.equal(after.segments.size, 0)
  t.equal(after.damage?.aside, join(dir, 'inventory.json.damaged-7'))
  t.notOk((await readInventory(dir, 8)).damage)
})

t.test('a vendor is found in the registry; a MAC that was made up locally has none', async (t) => {
  const vendor = ouiVendors()
  t.match(await vendor('b8:27:eb:01:02:03'), /raspberry pi/i)
  t.equal(await vendor('52:54:00:01:02:03'), undefined)
  t.equal(await vendor('00:00:00:00:00:00'), await vendor('00:00:00:ff:ff:ff'))
})

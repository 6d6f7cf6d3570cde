import t from 'tap'
import { defaultNicFilter, segmentsOf } from '../../../agent/scan/interfaces.ts'
import { sweepsOf } from '../../../agent/scan/passes.ts'
import { chooseTargets } from '../../../agent/scan/targets.ts'
import { contains, numberToIp, overlaps, parseNetwork, within } from '../../../shared/network.ts'
import { pick, seededRandom } from '../../../shared/random.ts'

const segment = (cidr: string, address: string) => ({ cidr, address, nic: 'eth0', mac: '52:54:00:00:00:01', dns: [] })
const [a, b] = [segment('198.18.1.0/24', '198.18.1.2'), segment('198.18.2.0/25', '198.18.2.2')]
const policy = { ranges: [] as string[], exclude: [] as string[], maxHosts: 1024 }

t.test('no target ever lies outside own segments, policy and request, and nothing inside is forgotten', async (t) => {
  const random = seededRandom('targets')
  const cidr = () =>
    `${numberToIp(0xc6120000 + Math.floor(random() * 1024))}/${pick(random, [22, 23, 24, 25, 27, 30, 32])}`
  const some = (most: number) => Array.from({ length: Math.floor(random() * (most + 1)) }, cidr)
  const inAny = (list: readonly string[], ip: string) => list.some((one) => contains(one, ip))
  let looked = 0
  for (let round = 0; round < 200; round++) {
    const given = { ranges: some(3), exclude: some(2), maxHosts: 100_000 }
    const asked = random() < 0.5 ? cidr() : undefined
    const { targets } = chooseTargets({ segments: [a, b], policy: given, ownDecoys: ['198.18.1.77'], cidr: asked })
    const refused = asked !== undefined && ![a, b].some((one) => within(asked, one.cidr))
    for (let value = 0xc6120000; value < 0xc6120400; value += 3) {
      const ip = numberToIp(value)
      const isTarget = targets.some(({ ranges, exclude }) => inAny(ranges, ip) && !inAny(exclude, ip))
      const home = [a, b].find((one) => contains(one.cidr, ip))
      const narrowed = home && given.ranges.some((range) => overlaps(range, home.cidr))
      const inPolicy = (!narrowed || inAny(given.ranges, ip)) && (!asked || contains(asked, ip))
      const own = ['198.18.1.2', '198.18.2.2', '198.18.1.77'].includes(ip)
      const allowed = inAny([a.cidr, b.cidr], ip) && inPolicy && !inAny(given.exclude, ip) && !own && !refused
      if (isTarget) looked++
      if (isTarget !== allowed) t.fail(`${ip} of ${JSON.stringify({ given, asked })}`)
    }
  }
  t.ok(looked > 1000, 'targets were met')
})

t.test(
  'what is outside or too large is refused by name, and the rest is scanned; named parts narrow their own segment',
  async (t) => {
    const narrowed = chooseTargets({
      segments: [a, b],
      policy: { ...policy, maxHosts: 200, ranges: ['10.0.0.0/8', '198.18.1.0/28'] },
      ownDecoys: [],
    })
    t.match(narrowed, {
      refusals: [],
      targets: [
        { ranges: ['198.18.1.0/28'], addresses: 16 },
        { ranges: [b.cidr], addresses: 128 },
      ],
    })
    const asked = {
      segments: [a, b],
      policy: { ...policy, ranges: ['198.18.1.0/28'] },
      ownDecoys: [],
      cidr: '198.18.1.64/26',
    }
    t.match(chooseTargets(asked).refusals, [{ cidr: '198.18.1.64/26', error: { code: 'TARGET_OUTSIDE' } }])
    const large = chooseTargets({ segments: [a, b], policy: { ...policy, maxHosts: 200 }, ownDecoys: [] })
    t.match(large.refusals, [
      { cidr: a.cidr, error: { code: 'SEGMENT_TOO_LARGE', message: /256.*200/, next: /scan\.ranges/ } },
    ])
    t.match(large.targets, [{ segment: { cidr: b.cidr }, addresses: 128 }])
    const own = chooseTargets({ segments: [a], policy, ownDecoys: [], cidr: '198.18.1.2/32' })
    t.match(own, { targets: [], refusals: [{ error: { code: 'TARGET_OUTSIDE' } }] })
  },
)

t.test('sweeps cover the ranges exactly, none larger than 1,024 addresses', async (t) => {
  const ranges = ['198.18.0.0/19', '198.18.40.0/24', '198.18.41.0/24', '198.19.0.7/32']
  const sweeps = sweepsOf(ranges)
  const size = (cidr: string) => parseNetwork(cidr).last - parseNetwork(cidr).first + 1
  const sizes = sweeps.map((sweep) => sweep.reduce((sum, one) => sum + size(one), 0))
  t.ok(Math.max(...sizes) <= 1024)
  t.equal(
    sizes.reduce((x, y) => x + y),
    8192 + 512 + 1,
  )
  t.ok(sweeps.flat().every((piece) => ranges.some((range) => within(piece, range))))
})

t.test('segments are the plugged cards with an address, each with its gateway', async (t) => {
  const card = (iface: string, ip4: string, ip4subnet = '255.255.255.0') => ({
    iface,
    ip4,
    ip4subnet,
    mac: 'B8:27:EB:00:00:01',
    internal: iface === 'lo',
  })
  const cards = [
    card('lo', '127.0.0.1', '255.0.0.0'),
    card('eth0', '198.18.1.2'),
    card('eth1', '198.18.2.2', '255.255.255.128'),
    card('docker0', '172.17.0.1', '255.255.0.0'),
    card('veth12', '198.18.3.1'),
    card('ppp0', '198.18.4.1', '255.255.255.255'),
    card('eth2', ''),
  ]
  const routes =
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t010112C6\t0003\t0\t0\t0\t00000000\n'
  t.same(segmentsOf({ cards, routes, resolvers: 'nameserver 198.18.1.53\nnameserver ::1\n' }, defaultNicFilter), [
    {
      cidr: '198.18.1.0/24',
      nic: 'eth0',
      address: '198.18.1.2',
      mac: 'b8:27:eb:00:00:01',
      gateway: '198.18.1.1',
      dns: ['198.18.1.53'],
    },
    { cidr: '198.18.2.0/25', nic: 'eth1', address: '198.18.2.2', mac: 'b8:27:eb:00:00:01', dns: ['198.18.1.53'] },
  ])
})

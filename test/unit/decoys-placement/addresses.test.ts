import t from 'tap'
import { chooseAddress, chooseMac, freeAddresses } from '../../../controller/decoys/addresses.ts'
import { numberToIp } from '../../../shared/network.ts'
import { seededRandom } from '../../../shared/random.ts'

const space = { cidr: '198.18.1.0/24', ranges: [], exclude: [], taken: new Set(['198.18.1.1', '198.18.1.20']) }

t.test('free is what nobody has, without network and broadcast address', async (t) => {
  const free = freeAddresses(space).map(numberToIp)
  t.equal(free.length, 252)
  for (const ip of ['198.18.1.0', '198.18.1.255', '198.18.1.1', '198.18.1.20']) t.notOk(free.includes(ip), ip)
})

t.test('ranges and exclusions bound it', async (t) => {
  const free = freeAddresses({ ...space, ranges: ['198.18.1.16/29', '10.0.0.0/8'], exclude: ['198.18.1.22/32'] })
  t.same(
    free.map(numberToIp),
    [16, 17, 18, 19, 21, 23].map((n) => `198.18.1.${n}`),
  )
  t.same(freeAddresses({ ...space, ranges: ['10.0.0.0/8'] }), [])
})

t.test('a chosen address is free, rather near the hosts, and not foreseeable', async (t) => {
  const hosts = [10, 11, 12, 15, 20, 21].map((n) => `198.18.1.${n}`)
  const taken = new Set(hosts)
  const free = freeAddresses({ ...space, taken })
  const random = seededRandom('addresses')
  const chosen = Array.from({ length: 500 }, () => chooseAddress(free, hosts, random) ?? '')
  t.ok(chosen.every((ip) => free.map(numberToIp).includes(ip)))
  const near = chosen.filter((ip) => Number(ip.split('.')[3]) <= 30)
  t.ok(near.length > 300, `${near.length} of 500 near`)
  t.ok(new Set(chosen).size > 30, `${new Set(chosen).size} different ones`)
})

t.test('where nothing is free nothing is chosen', async (t) =>
  t.equal(
    chooseAddress([], [], () => 0),
    undefined,
  ),
)

t.test('a MAC keeps its vendor and is nobody’s', async (t) => {
  const draws = [0, 0, 0, 0.5, 0.5, 0.5]
  const mac = chooseMac('00:50:56', new Set(['00:50:56:00:00:00']), () => draws.shift() ?? 0)
  t.equal(mac, '00:50:56:80:80:80')
})

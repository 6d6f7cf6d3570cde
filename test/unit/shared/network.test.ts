import t from 'tap'
import {
  canonicalCidr,
  contains,
  ipToNumber,
  networkOf,
  numberToIp,
  overlaps,
  parseNetwork,
  within,
} from '../../../shared/network.ts'
import { seededRandom } from '../../../shared/random.ts'

t.test('addresses survive the way to a number and back', async (t) => {
  const random = seededRandom('addresses')
  for (let i = 0; i < 1000; i++) {
    const value = Math.floor(random() * 2 ** 32)
    t.equal(ipToNumber(numberToIp(value)), value)
  }
})

t.test('a network knows its bounds', async (t) => {
  t.same(parseNetwork('198.18.1.77/24'), {
    first: ipToNumber('198.18.1.0'),
    last: ipToNumber('198.18.1.255'),
    prefix: 24,
  })
  t.equal(canonicalCidr('198.18.1.77/25'), '198.18.1.0/25')
  t.equal(networkOf('198.18.1.77', '255.255.254.0'), '198.18.0.0/23')
  t.ok(contains('0.0.0.0/0', '255.255.255.255'))
  t.notOk(contains('198.18.1.0/25', '198.18.1.128'))
  t.ok(overlaps('198.18.0.0/15', '198.19.255.255/32'))
  t.notOk(within('198.18.0.0/15', '198.18.0.0/16'))
})

t.test('what is no address is refused by name', async (t) => {
  for (const bad of ['198.18.1', '198.18.1.256', '198.18.1.x', '', '1.2.3.4.5'])
    t.throws(() => ipToNumber(bad), RangeError)
  for (const bad of ['198.18.1.0/33', '198.18.1.0/-1', '198.18.1.0/x']) t.throws(() => parseNetwork(bad), RangeError)
})

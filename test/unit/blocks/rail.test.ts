import t from 'tap'
import { railed } from '../../../agent/blocks/rail.ts'
import { newId } from '../../../shared/ids.ts'
import { numberToIp, overlaps } from '../../../shared/network.ts'
import { seededRandom } from '../../../shared/random.ts'

const now = Date.parse('2026-01-01T00:00:00Z')
const entry = (cidr: string, until = '2026-01-01T01:00:00Z') => ({ id: newId(now), cidr, until })

t.test('an entry passes exactly when it overlaps nothing that is protected', async (t) => {
  const random = seededRandom('rail')
  const cidr = () => `${numberToIp(0xc6120000 + Math.floor(random() * 65536))}/${18 + Math.floor(random() * 15)}`
  let refusals = 0
  for (let round = 0; round < 300; round++) {
    const walls = Array.from({ length: 8 }, () => ({ cidr: cidr(), why: 'test' }))
    const entries = Array.from({ length: 8 }, () => entry(cidr()))
    const { allowed, refused } = railed(entries, walls, now)
    refusals += refused.length
    for (const one of entries) {
      const shouldPass = !walls.some((wall) => overlaps(wall.cidr, one.cidr))
      if (allowed.some((other) => other.cidr === one.cidr) !== shouldPass)
        t.fail(`${one.cidr} of ${JSON.stringify(walls)}`)
    }
    for (const { entry: one, by } of refused) if (!overlaps(one.cidr, by.cidr)) t.fail(`${by.cidr} is no reason`)
    if (allowed.length + refused.length !== entries.length) t.fail('an entry was lost')
  }
  t.ok(refusals > 100, 'the walls were met')
})

t.test(
  'a network around the gateway is refused with the gateway as the reason; an entry that is over is named as such',
  async (t) => {
    const gateway = { cidr: '198.18.1.1/32', why: 'its gateway' }
    const wide = entry('198.18.0.0/16')
    const over = entry('198.18.3.3/32', '2025-12-31T23:59:59Z')
    const { allowed, refused, expired } = railed([wide, entry('198.18.2.2/32'), over], [gateway], now)
    t.same(refused, [{ entry: wide, by: gateway }])
    t.same(expired, [over])
    t.same(
      allowed.map(({ cidr }) => cidr),
      ['198.18.2.2/32'],
    )
  },
)

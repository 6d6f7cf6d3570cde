import t from 'tap'
import {
  adopted,
  answered,
  condemned,
  departed,
  died,
  entry,
  failed,
  steadyMs,
  withdrawn,
} from '../../../agent/decoys/entry.ts'
import { decoyOf } from './desired.ts'

const rules = { attempts: 3, firstMs: 1000, capMs: 30_000, random: () => 0.5 }
const decoy = decoyOf(20)
const at = (ms: number) => new Date(ms).toISOString()

t.test('attempts are bounded, and a new revision begins anew', async (t) => {
  let one = adopted(undefined, decoy, 4)
  const pauses: number[] = []
  for (let n = 0; n < 3; n++) {
    one = failed(one, 'no image', 0, rules)
    pauses.push(one.retryAt ?? 0)
  }
  t.same(pauses, [750, 1500, 0])
  t.match(one, { attempts: 3, rejected: true, reason: 'no image' })
  t.equal(adopted(one, decoy, 4), one, 'the same revision changes nothing')
  t.match(adopted(one, decoy, 5), { attempts: 0, rejected: false, reason: undefined })
  t.match(
    adopted(one, decoy, 4, 'those before'),
    { attempts: 0, rejected: false, reason: undefined },
    'made with others',
  )
  const { madeWith: _, ...bare } = one
  const ofBefore = entry.parse({ ...bare, images: '{"pod":"pod"}' })
  t.match(adopted(ofBefore, decoy, 4, 'these'), { attempts: 0, rejected: false }, 'as it was kept before')
  t.ok(entry.safeParse(one).success, 'it can be kept on disk')
})

t.test('a death is counted once; one after it answered never ends in rejection', async (t) => {
  let one = answered(adopted(undefined, decoy, 1), at(0), at(10))
  const death = (mark: string, start: string) => ({ kind: 'service', mark, exitCode: 137, start })
  one = died(one, death('a', at(0)), 1000, rules)
  t.match(one, { restarts: 1, retryAt: 1000, attempts: 0 }, 'the first is restarted at once')
  t.equal(died(one, death('a', at(0)), 2000, rules), one)
  for (let n = 1; n < 20; n++) {
    one = answered(one, at(n * 2000), at(n * 2000))
    one = died(one, death(`b${n}`, at(n * 2000)), n * 2000 + 1000, rules)
  }
  t.match(one, { restarts: 20, rejected: false })
  t.equal((one.retryAt ?? 0) - (19 * 2000 + 1000), 45_000, 'the pause has grown to its cap')
  one = answered(one, at(100_000), at(100_000))
  one = died(one, death('c', at(100_000)), 100_000 + steadyMs, rules)
  t.equal(one.retryAt, 100_000 + steadyMs, 'after it held for a while, at once again')
})

t.test('a death before it answered is an attempt', async (t) => {
  let one = adopted(undefined, decoy, 1)
  for (const mark of ['a', 'b', 'c']) one = died(one, { kind: 'service', mark, exitCode: 78, start: at(5) }, 0, rules)
  t.match(one, { rejected: true, attempts: 3, restarts: 3, reason: /exit code 78 before it answered/ })
})

t.test('a lost address stays lost until the plan gives another', async (t) => {
  const lost = withdrawn(adopted(undefined, decoy, 1), { ip: decoy.ip, mac: '02:00:00:00:00:01' }, 'taken')
  t.match(adopted(lost, decoy, 2), { withdrawn: { ip: decoy.ip }, reason: 'taken' })
  const moved = adopted(lost, { ...decoy, ip: '198.18.7.99' }, 3)
  t.match(moved, { withdrawn: undefined, reason: undefined, ip: '198.18.7.99' })
})

t.test(
  'what was seen to be unsafe stays down over every revision, until the plan bears one release more',
  async (t) => {
    let one = condemned(adopted(undefined, decoy, 1), 'a way out')
    for (const desired of [decoy, { ...decoy, ip: '198.18.7.99', personaVersion: 2 }, { ...decoy, condemned: true }])
      one = adopted(one, desired, one.revision + 1)
    one = adopted(failed(departed(one), 'no image', 0, rules), decoy, 5)
    t.match(one, { condemned: { releases: 0 }, revision: 5, gone: false, rejected: false })
    t.ok(entry.safeParse(JSON.parse(JSON.stringify(one))).success)
    const released = adopted(one, { ...decoy, releases: 1 }, 6)
    t.match(released, { condemned: undefined, reason: undefined, attempts: 0 })
    const again = condemned(released, 'another way out')
    t.match(adopted(again, { ...decoy, releases: 1 }, 7), { condemned: { releases: 1 } }, 'a release is good for once')
    const forgotten = adopted(undefined, { ...decoy, condemned: true, releases: 1 }, 8)
    t.match(forgotten, { condemned: { releases: 1 }, reason: /was not released/ }, 'also where the agent forgot it')
  },
)

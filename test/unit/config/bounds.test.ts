import t from 'tap'
import { parseConfig } from '../../../controller/config.ts'
import { desiredDecoy, mostNeverBlock, scanPolicy } from '../../../shared/schemas/desired-state.ts'

const passes = (config: object): boolean => {
  try {
    parseConfig(JSON.stringify(config), 'config.json')
    return true
  } catch {
    return false
  }
}
const nets = (count: number) => Array.from({ length: count }, (_, i) => `198.18.${i >> 8}.${i & 255}/32`)
const rules = (count: number) => nets(count).map((cidr) => ({ cidr, proto: 'tcp', port: 80 }))

t.test('the configuration takes exactly what agents take in a signed plan', async (t) => {
  const numbers = [
    0, 1, 9, 10, 29, 30, 31, 59, 60, 61, 10_000, 10_001, 65_536, 65_537, 604_800, 604_801, 2_592_000, 2_592_001,
  ]
  const samples: unknown[] = [...numbers, 1.5, -1, true, 'x', [], nets(1), nets(256), nets(257), ['198.18.0.0/33']]
  let refused = 0
  for (const [key, schema] of Object.entries(scanPolicy.shape)) {
    if (key === 'decoyMacs') continue
    for (const value of samples) {
      const taken = schema.safeParse(value).success
      if (!taken) refused++
      t.equal(passes({ scan: { [key]: value } }), taken, `scan.${key} ${JSON.stringify(value).slice(0, 40)}`)
    }
  }
  t.ok(refused > 100, 'bounds were met')
  for (const count of [64, 65])
    t.equal(passes({ decoys: { egress: rules(count) } }), desiredDecoy.shape.egress.safeParse(rules(count)).success)
})

t.test(
  'the never-block list leaves room for what every agent adds; a block has an end that a date can hold',
  async (t) => {
    t.ok(passes({ neverBlock: nets(mostNeverBlock - 256) }))
    t.notOk(passes({ neverBlock: nets(mostNeverBlock - 255) }))
    t.ok(passes({ risk: { blockMinutes: 527_040 } }))
    t.notOk(passes({ risk: { blockMinutes: 1e15 } }))
  },
)

t.test('what is too large is refused with its name, its value and the next step', async (t) => {
  t.throws(() => parseConfig('{"scan":{"detailEverySeconds":2592001}}', 'config.json'), {
    code: 'CONFIG_INVALID',
    message: /scan\.detailEverySeconds is 2592001: .*2592000/,
  })
})

import { z } from 'zod'
import { ipToNumber, parseNetwork } from '../../shared/network.ts'
import type { Interval } from './intervals.ts'
import { setName } from './ruleset.ts'

const address = z.union([
  z.string(),
  z.object({ prefix: z.object({ addr: z.string(), len: z.int() }) }),
  z.object({ range: z.tuple([z.string(), z.string()]) }),
])
const element = z.union([
  z.object({ elem: z.object({ val: address, expires: z.number().optional(), timeout: z.number().optional() }) }),
  address,
])
const listing = z.object({ nftables: z.array(z.record(z.string(), z.unknown())) })
const setObject = z.object({ name: z.string(), elem: z.array(element).optional() })
const namedChain = z.object({ name: z.string() })
const ruleOf = z.object({ chain: z.string() })

/** What stands in the kernel: the blocked intervals, and the number of rules in each chain. */
export type ReadBack = { intervals: Interval[]; rules: Map<string, number> }

/** The JSON of `nft -j list table` (or `list set`) as what stands there. Throws on anything else. */
export function parseReadBack(text: string, now: number): ReadBack {
  const intervals: Interval[] = []
  const rules = new Map<string, number>()
  for (const object of listing.parse(JSON.parse(text)).nftables) {
    if (object.set) {
      const set = setObject.parse(object.set)
      if (set.name === setName) for (const one of set.elem ?? []) intervals.push(intervalOf(one, now))
    }
    if (object.chain) rules.set(namedChain.parse(object.chain).name, 0)
    if (object.rule) {
      const { chain } = ruleOf.parse(object.rule)
      rules.set(chain, (rules.get(chain) ?? 0) + 1)
    }
  }
  return { intervals, rules }
}

function intervalOf(one: z.infer<typeof element>, now: number): Interval {
  const timed = typeof one === 'object' && 'elem' in one ? one.elem : { val: one, expires: undefined }
  const until = timed.expires === undefined ? Number.POSITIVE_INFINITY : now + timed.expires * 1000
  const { val } = timed
  if (typeof val === 'string') return { first: ipToNumber(val), last: ipToNumber(val), until }
  if ('range' in val) return { first: ipToNumber(val.range[0]), last: ipToNumber(val.range[1]), until }
  const { first, last } = parseNetwork(`${val.prefix.addr}/${val.prefix.len}`)
  return { first, last, until }
}

import { networkInterfaces } from 'node:os'
import { contains } from '../../../shared/network.ts'
import { type Card, segmentCards } from '../cards.ts'
import { type Check, type Outcome, usualMs, worstOf } from './check.ts'
import { whoHas } from './programs.ts'

/** What a machine takes for itself where nobody gives it an address (RFC 3927). */
const selfGiven = '169.254.0.0/16'

export const address: Check = {
  name: 'address',
  roles: ['decoys'],
  rests: ['cable', 'rights'],
  withinMs: usualMs,
  async run({ config }, signal) {
    const cards = segmentCards(config.nics)
    if (cards.length === 0) return noAddress(config.nics)
    const judged = cards.map(async (card) => judgeAddress(card, await othersAt(card, signal)))
    return worstOf(await Promise.all(judged))
  },
}

const noAddress = (named: readonly string[]): Outcome => ({
  ok: false,
  detail: `${named.length > 0 ? `none of ${named.join(', ')}` : 'no card'} has an address: nobody on this network gave out one`,
  next: 'Ask whoever runs this network to turn on DHCP for this socket.',
})

export function judgeAddress({ name, ip, mac, cidr }: Card, answered: readonly string[]): Outcome {
  const other = answered.find((one) => one !== mac.toLowerCase())
  if (other !== undefined)
    return {
      ok: false,
      detail: `${ip} of ${name} is used by another device too (${other})`,
      next: `Ask whoever runs this network for another address for this box than ${ip}.`,
    }
  if (contains(selfGiven, ip))
    return {
      ok: false,
      detail: `${name} had to make up its address ${ip}: nobody on this network gave out one`,
      next: 'Ask whoever runs this network to turn on DHCP for this socket.',
    }
  return { ok: true, detail: `${name} has ${ip} in ${cidr}` }
}

/** A card does not hear what it sends itself; a second card of this box in the same segment answers for it, and is no other. */
async function othersAt({ name, ip }: Card, signal: AbortSignal): Promise<string[]> {
  const own = new Set(Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ mac }) => mac)))
  return (await whoHas(name, ip, undefined, signal)).filter((mac) => !own.has(mac))
}

import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { wordsOf } from '../../../shared/errors.ts'
import { defaultGateways, parseRoutes } from '../../../shared/host-network.ts'
import { contains, numberToIp, parseNetwork } from '../../../shared/network.ts'
import { type Random, systemRandom } from '../../../shared/random.ts'
import { type Card, segmentCards } from '../cards.ts'
import { type Check, type Outcome, worstOf } from './check.ts'
import { whoHas } from './programs.ts'
import { askFromSecondPlace } from './second-place.ts'

/** What was seen of one card. `asked`: who answers the box itself; without, nobody does, and nothing can be said. */
export type Tried = { nic: string; asked?: string; ip?: string; answered?: boolean; why?: string }

/** Each takes up to five seconds. */
const mostTries = 3

export const switchPort: Check = {
  name: 'switch port',
  roles: ['decoys'],
  rests: ['cable', 'address', 'rights', 'programs'],
  withinMs: 25_000,
  async run({ config, root }, signal) {
    const cards = segmentCards(config.nics)
    if (cards.length === 0)
      return { ok: false, detail: 'cannot be tried without an address', next: 'Mend the address first.' }
    const tried: Tried[] = []
    for (const card of cards) tried.push(await tryCard(card, await neighboursOf(card, root), signal))
    return worstOf(tried.map(judgePort))
  },
}

export function judgePort({ nic, asked, ip, answered, why }: Tried): Outcome {
  if (asked === undefined)
    return {
      ok: true,
      detail: `could not be tried: no neighbour on ${nic} answers yet`,
      next: 'Run this again when other devices on this network are on.',
    }
  if (why !== undefined)
    return {
      ok: false,
      detail: `${nic} cannot carry a second address: ${why}`,
      next: 'Use a wired network card, and run this as root.',
    }
  if (ip === undefined)
    return {
      ok: false,
      detail: `no free address was found on ${nic} to try with`,
      next: 'Ask whoever runs this network for free addresses on it.',
    }
  if (answered) return { ok: true, detail: `a second address on ${nic} (${ip}) is let through: ${asked} answered it` }
  return {
    ok: false,
    detail: `the switch lets only this box's own address through: ${asked} answers the box, but not its second address ${ip}`,
    next: 'Ask whoever runs the switch to allow many MAC addresses on this socket (no port security; on a virtual machine: promiscuous mode).',
  }
}

async function tryCard(card: Card, neighbours: readonly string[], signal: AbortSignal): Promise<Tried> {
  const nic = card.name
  let asked: string | undefined
  for (const ip of neighbours.slice(0, 3)) {
    if ((await whoHas(nic, ip, card.ip, signal)).length === 0) continue
    asked = ip
    break
  }
  if (asked === undefined) return { nic }
  const { prefix } = parseNetwork(card.cidr)
  for (let tries = 0; tries < mostTries; tries++) {
    const ip = anyOf(card.cidr, systemRandom)
    if (ip === undefined) break
    if (ip === card.ip || (await whoHas(nic, ip, undefined, signal)).length > 0) continue
    try {
      const answers = await askFromSecondPlace({ nic, mac: sisterOf(card.mac), ip, prefix, target: asked }, signal)
      if (answers !== 'taken') return { nic, asked, ip, answered: answers.length > 0 }
    } catch (error) {
      return { nic, asked, ip, why: wordsOf(error) }
    }
  }
  return { nic, asked }
}

/** The gateway first, then whom the kernel has heard of. */
async function neighboursOf({ name, ip, cidr }: Card, root: string): Promise<string[]> {
  const read = (file: string) => readFile(join(root, file), 'utf8').catch(() => '')
  const gateways = defaultGateways(parseRoutes(await read('/proc/net/route'))).map(({ gateway }) => gateway)
  const known = (await read('/proc/net/arp'))
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/))
  const heard = known.flatMap(([at = '', , flags, , , nic]) => (nic === name && flags !== '0x0' ? [at] : []))
  return [...new Set([...gateways, ...heard])].filter((one) => one !== ip && contains(cidr, one))
}

/** An address of hosts, drawn from the upper half, where fixed ones are rarer. */
export function anyOf(cidr: string, random: Random): string | undefined {
  const { first, last } = parseNetwork(cidr)
  const hosts = last - first - 1
  if (hosts < 2) return undefined
  const half = Math.floor(hosts / 2)
  return numberToIp(first + 1 + half + Math.floor(random() * (hosts - half)))
}

/** Of the same maker, so that nobody wonders at it. */
const sisterOf = (mac: string): string => `${mac.slice(0, 8)}${randomBytes(3).toString('hex').replace(/../g, ':$&')}`

import { lookup } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defaultGateways, parseRoutes } from '../../../shared/host-network.ts'
import { contains } from '../../../shared/network.ts'
import { type Card, segmentCards } from '../cards.ts'
import { type Check, type CheckContext, firstHop, type Outcome, usualMs } from './check.ts'
import { whoHas } from './programs.ts'

/** `answered`: MACs that answered for it; without, it could not be asked. */
export type GatewaySeen = { gateway: string; nic: string; answered?: readonly string[] }

export const gateway: Check = {
  name: 'gateway',
  rests: ['cable', 'address', 'rights'],
  withinMs: usualMs,
  async run(context, signal) {
    const [first] = defaultGateways(parseRoutes(await readFile(join(context.root, '/proc/net/route'), 'utf8')))
    const cards = segmentCards(context.config.nics)
    if (!first) return judgeGateway(undefined, await isNear(context, cards))
    const own = cards.find(({ name, cidr }) => name === first.nic && contains(cidr, first.gateway))
    const seen = { gateway: first.gateway, nic: first.nic }
    // A line without ARP (a tunnel, a modem) cannot be asked, nor shall be a card that is not the agent's.
    if (own === undefined) return judgeGateway(seen, false)
    return judgeGateway({ ...seen, answered: await whoHas(first.nic, first.gateway, own.ip, signal) }, false)
  },
}

export function judgeGateway(seen: GatewaySeen | undefined, controllerIsNear: boolean): Outcome {
  if (!seen)
    return controllerIsNear
      ? { ok: true, detail: 'there is none, and none is needed: the controller is on this network' }
      : {
          ok: false,
          detail: 'this box was told no way out of its own network',
          next: 'Ask whoever runs this network for the gateway (router) of this socket, and enter it.',
        }
  const { gateway, nic, answered } = seen
  if (answered === undefined) return { ok: true, detail: `${gateway}, by ${nic}; it could not be asked` }
  if (answered.length === 0)
    return {
      ok: false,
      detail: `the gateway ${gateway} does not answer on ${nic}`,
      next: 'Is the cable in the right socket? Else ask whoever runs this network whether that gateway is right.',
    }
  if (answered.length > 1)
    return {
      ok: false,
      detail: `${answered.length} devices say that they are the gateway ${gateway}: ${answered.join(', ')}`,
      next: 'Report it to whoever runs this network: one of them is wrong, or spies.',
    }
  return { ok: true, detail: `${gateway} answers on ${nic} (${answered[0]})` }
}

async function isNear(context: CheckContext, cards: readonly Card[]): Promise<boolean> {
  const hop = firstHop(context)
  if (!hop) return false
  const found = await lookup(hop.host, { all: true }).catch(() => [])
  return found.some(
    ({ address, family }) =>
      address.startsWith('127.') ||
      address === '::1' ||
      (family === 4 && cards.some(({ cidr }) => contains(cidr, address))),
  )
}

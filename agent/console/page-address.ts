import type { Log } from '../../shared/log.ts'
import { candidate, mostCandidates } from './link-local.ts'

export type PageCard = { name: string; mac: string }
export type AddressPorts = {
  /** MACs other than this box's own that answer for `ip` on the card. */
  whoHas(card: string, ip: string): Promise<string[]>
  /** `ip ...` of iproute2; throws where it fails. */
  ip(...argv: string[]): Promise<void>
  log: Log
}

/**
 * A link-local address of the box's own on one card, for the page alone: the first of the card's candidates that nobody
 * answers for (RFC 3927, 2.2); two boxes that take one at once both leave it. It has the scope of the link, so that the kernel takes it for nothing else.
 *
 *   none -> probed -> held -> (somebody else answers for it: RFC 3927, 2.5 b) -> given up, the next one
 */
export function makePageAddress({ whoHas, ip, log }: AddressPorts) {
  let held: { card: PageCard; address: string; n: number } | undefined

  async function drop(): Promise<void> {
    const gone = held
    held = undefined
    // It went with the card, or with a new configuration of it.
    if (gone) await ip('address', 'del', `${gone.address}/16`, 'dev', gone.card.name).catch(() => undefined)
  }

  return {
    /** Has the address on `card`, or on none; gives it back. Called every few seconds. */
    async hold(card: PageCard | undefined): Promise<string | undefined> {
      if (held && (card?.name !== held.card.name || card.mac !== held.card.mac)) await drop()
      if (!card) return undefined
      let n = 0
      if (held) {
        const others = await whoHas(card.name, held.address)
        if (others.length === 0) {
          await put(card, held.address)
          return held.address
        }
        log.warn({ address: held.address, others }, 'another has the address of the status page; it takes the next')
        n = held.n + 1
        await drop()
      }
      for (; n < mostCandidates; n++) {
        const address = candidate(card.mac, n)
        if ((await whoHas(card.name, address)).length > 0) continue
        await put(card, address)
        held = { card, address, n }
        return address
      }
      return undefined
    },
    drop,
  }

  /** The same again where it stands: whoever configured the card anew may have taken it away. */
  function put(card: PageCard, address: string): Promise<void> {
    return ip('address', 'replace', `${address}/16`, 'dev', card.name, 'scope', 'link')
  }
}

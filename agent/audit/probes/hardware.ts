import { type Found, found, holds, type Probe, unknown } from '../look.ts'
import { scanned } from './scan.ts'

/** The second bit of the first byte: made up locally (IEEE 802). */
const madeUp = 2
const word = (text: string) =>
  text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .find((one) => one.length > 1) ?? ''

/** Its MAC and the maker that it tells, beside the machine it pretends to be. */
export const hardware: Probe = {
  area: 'hardware',
  name: 'hardware',
  async look(look) {
    const { persona, decoy } = look
    const { host } = await scanned(look)
    if (!host?.mac) return [unknown('hardware.mac', 'its MAC was not seen')]
    const { mac, vendor } = host
    const results: Found[] = [
      holds('hardware.mac', mac === decoy.mac, mac, decoy.mac, 'it answers by another MAC than it was given'),
    ]
    if ((Number.parseInt(mac.slice(0, 2), 16) & madeUp) !== 0)
      results.push(found('hardware.vendor', 'differs', mac, persona.mac.vendor, 'a MAC that no maker has, made up'))
    else {
      const named = vendor ? word(vendor) === word(persona.mac.vendor) : mac.startsWith(persona.mac.oui)
      const so = named || mac.startsWith(persona.mac.oui)
      results.push(holds('hardware.vendor', so, vendor ?? mac, persona.mac.vendor, 'the maker of its card is another'))
    }
    return results
  },
}

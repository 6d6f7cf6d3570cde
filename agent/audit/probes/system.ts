import { limitAbout } from '../../../shared/network-limits.ts'
import type { Persona } from '../../../shared/schemas/persona.ts'
import { type Found, found, holds, type Probe, unknown } from '../look.ts'
import { scanned } from './scan.ts'

/** What nmap calls the families of our stacks. */
const families: Record<string, RegExp> = {
  linux: /^linux$/i,
  'linux-embedded': /^(linux|embedded)$/i,
  windows: /^windows$/i,
  bsd: /bsd$/i,
  printer: /embedded|printer|jetdirect|vxworks/i,
  switch: /embedded|ios|junos|procurve|vxworks|linux/i,
}

/** A difference that the persona's own report announces is told as such; it counts all the same, since an attacker sees it. */
export function foretold(persona: Pick<Persona, 'network'>, about: 'class' | 'options', words: string): string {
  const limit = limitAbout(persona, about)
  return limit === undefined ? words : `${words}; the limits of this persona announce it: ${limit}`
}

/** The class of operating system that nmap sees, and the time to live of its packets. */
export const system: Probe = {
  area: 'system',
  name: 'system',
  async look(look) {
    const { persona, beside } = look
    const { host, xml } = await scanned(look)
    const stack = persona.network?.stack ?? (/windows/i.test(persona.os.name) ? 'windows' : 'linux')
    const [guess] = host?.os ?? []
    const results: Found[] = []
    if (!guess) results.push(unknown('system.class', 'nmap recognises no system, as of many real hosts'))
    else {
      const so = families[stack]?.test(guess.family ?? guess.name) ?? false
      const words = foretold(persona, 'class', 'nmap takes it for another kind of system')
      results.push(holds('system.class', so, `${guess.name} (${guess.accuracy} %)`, stack, words))
    }
    const like = beside.filter(({ systemFamily }) => systemFamily !== undefined)
    if (guess && like.length > 0) {
      const names = [...new Set(like.map(({ systemFamily }) => systemFamily))]
      const so = names.includes(guess.family)
      const other = foretold(persona, 'class', 'no real host here is taken for that kind of system')
      const words = so ? 'as a neighbour' : other
      results.push(found('system.company', so ? 'equal' : 'differs', guess.family, names.join(', '), words))
    }
    const ttl = Number(/reason="syn-ack" reason_ttl="(\d+)"/.exec(xml)?.[1])
    if (!(ttl > 0)) results.push(unknown('system.ttl', 'no packet to judge by'))
    else
      results.push(
        holds('system.ttl', ttl === persona.ttl, ttl, persona.ttl, 'packets live otherwise than that system’s'),
      )
    return results
  },
}

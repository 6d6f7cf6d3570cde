import type { HostPort, OsGuess } from '../../shared/schemas/inventory.ts'
import { algorithmsOf, type Catalogue } from './catalogue.ts'
import type { Template } from './template.ts'

/** A host of the segment, as far as personas look at it. */
export type Neighbour = {
  ip: string
  mac?: string
  vendor?: string
  names: readonly string[]
  os: readonly OsGuess[]
  ports: readonly HostPort[]
}

/** What speaks for a neighbour being of a template: weights that sum up to at most 1, and in words why. */
export type Recognised = { neighbour: Neighbour; votes: ReadonlyMap<string, number>; because: string; sure: boolean }

/** The SSH banner of a neighbour: as it was read, or put together from what nmap made of it. */
export function sshBannerOf({ ports }: Pick<Neighbour, 'ports'>): string | undefined {
  for (const { service, product, version, scripts } of ports) {
    const read = scripts?.banner?.split(/[\r\n]/)[0]?.trim()
    if (read?.startsWith('SSH-2.0-')) return read
    if (service !== 'ssh' || product === undefined) continue
    // OpenWrt's builds tell no version.
    if (version === undefined && /dropbear/i.test(product)) return 'SSH-2.0-dropbear'
    if (version === undefined) continue
    if (/openssh/i.test(product)) return `SSH-2.0-OpenSSH_${version.replace(/^(\S+) (Debian|Ubuntu) /, '$1 $2-')}`
    if (/dropbear/i.test(product)) return `SSH-2.0-dropbear_${version.split(' ')[0]}`
  }
  return undefined
}

/** What its services say, in one text. */
const wordsOf = ({ ports }: Neighbour) =>
  ports
    .flatMap(({ product, version, extra, scripts }) => [product, version, extra, ...Object.values(scripts ?? {})])
    .filter((text) => text !== undefined)
    .join('\n')
    .slice(0, 16_384)

const some = (patterns: readonly string[], text: string) => patterns.some((one) => new RegExp(one, 'i').test(text))

/**
 * What each neighbour is, most certain sign first: the very package it announces, words of its services, the vendor of
 * its card; then what only hints: the distribution without its release, nmap's guess. Hints follow what is certain of
 * the other neighbours: in a segment of Debian 12 some Linux is rather Debian 12.
 */
export function recognise(catalogue: Catalogue, neighbours: readonly Neighbour[]): Recognised[] {
  const sure = new Map<Neighbour, Recognised>()
  const certain = new Map<string, number>()
  for (const neighbour of neighbours) {
    const found = certainOf(catalogue, neighbour)
    if (!found) continue
    sure.set(neighbour, found)
    for (const [id, weight] of found.votes) certain.set(id, (certain.get(id) ?? 0) + weight)
  }
  return neighbours.map((neighbour) => sure.get(neighbour) ?? hintOf(catalogue, neighbour, certain))
}

/** Whether a port the template is known by is open; without such ports, always. */
const showsPorts = ({ ports }: Neighbour, { recognise }: Template) =>
  recognise.ports.length === 0 || ports.some(({ port }) => recognise.ports.includes(port))

/** A template made from another says more of a host than that one. */
function mostSpecial(found: readonly Template[]): Template[] {
  const bases = new Set(found.map((one) => one.extends))
  return found.filter(({ id }) => !bases.has(id))
}

function certainOf(catalogue: Catalogue, neighbour: Neighbour): Recognised | undefined {
  const templates = catalogue.templates.filter((one) => showsPorts(neighbour, one))
  const banner = sshBannerOf(neighbour)
  const vendor = neighbour.vendor ?? ''
  const words = wordsOf(neighbour)
  const byVendor = (found: readonly Template[]) => {
    const fitting = found.filter(({ recognise: { vendor: patterns } }) => some(patterns, vendor))
    if (fitting.length > 0) return fitting
    const anywhere = found.filter(({ recognise: { vendor: patterns } }) => patterns.length === 0)
    return anywhere.length > 0 ? anywhere : found
  }
  const steps: readonly [readonly Template[], number, string][] = [
    [
      banner === undefined ? [] : templates.filter((one) => algorithmsOf(catalogue, one, banner) !== undefined),
      1,
      `announces ${banner}`,
    ],
    [templates.filter((one) => some(one.recognise.said, words)), 0.9, 'its services name the system'],
    [templates.filter((one) => some(one.recognise.vendor, vendor)), 0.7, `its card is of ${vendor}`],
  ]
  for (const [found, weight, because] of steps)
    if (found.length > 0) {
      const votes = shares(mostSpecial(byVendor(found)), weight, new Map())
      return { neighbour, votes, because, sure: true }
    }
  return undefined
}

function hintOf(catalogue: Catalogue, neighbour: Neighbour, certain: ReadonlyMap<string, number>): Recognised {
  const templates = catalogue.templates.filter((one) => showsPorts(neighbour, one))
  const words = wordsOf(neighbour)
  const named = templates.filter((one) => some(one.recognise.maybe, words))
  if (named.length > 0)
    return {
      neighbour,
      votes: shares(mostSpecial(named), 0.6, certain),
      because: 'its services name the distribution',
      sure: false,
    }
  const [best] = [...neighbour.os].sort((a, b) => b.accuracy - a.accuracy)
  // nmap names a router beside plain Linux for many servers: guesses that are about as likely count alike.
  const likely = neighbour.os.filter(({ accuracy }) => accuracy >= (best?.accuracy ?? 0) - 3)
  const guessed = templates.filter((one) => likely.some(({ name }) => some(one.recognise.os, name)))
  if (!best || guessed.length === 0)
    return { neighbour, votes: new Map(), because: 'nothing we can imitate', sure: false }
  const votes = shares(mostSpecial(guessed), (0.5 * best.accuracy) / 100, certain)
  return { neighbour, votes, because: `looks like ${best.name} (${best.accuracy} %)`, sure: false }
}

function shares(found: readonly Template[], weight: number, certain: ReadonlyMap<string, number>): Map<string, number> {
  const parts = found.map(({ id }) => [id, 0.1 + (certain.get(id) ?? 0)] as const)
  const whole = parts.reduce((sum, [, part]) => sum + part, 0)
  return new Map(parts.map(([id, part]) => [id, (weight * part) / whole]))
}

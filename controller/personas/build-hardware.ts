import { pick, pickWeighted, type Random } from '../../shared/random.ts'
import type { Catalogue } from './catalogue.ts'
import type { Hardware } from './data-files.ts'
import type { Neighbour } from './neighbours.ts'
import { isGlobal, type Ouis, ouiOf } from './ouis.ts'
import type { Template } from './template.ts'

export type BuiltHardware = {
  kind: Hardware
  cpuModel: string
  cpuMhz: number
  cores: number
  memoryKb: number
  oui: string
  vendor: string
  because: string
}

/** Part of a machine's memory that its kernel keeps for itself and `MemTotal` does not count. */
const reserved = { from: 0.02, to: 0.045 }

/**
 * The machine: of a vendor that the segment has, as often as it has it, where the template runs on such hardware. Its
 * OUI is one that a neighbour has, or another of that vendor; never a locally administered one.
 */
export function buildHardware(
  catalogue: Catalogue,
  template: Template,
  neighbours: readonly Neighbour[],
  ouis: Ouis,
  random: Random,
): BuiltHardware {
  const kinds = catalogue.hardware.filter(({ id }) => template.hardware.includes(id))
  const seen = new Map<string, string[]>()
  for (const { mac, vendor } of neighbours) {
    const oui = mac === undefined ? undefined : ouiOf(mac)
    if (oui !== undefined && !isGlobal(oui)) continue
    const name = vendor ?? (oui === undefined ? undefined : ouis.vendorOf(oui))
    if (name === undefined) continue
    const kind = kinds.find(({ match }) => match.some((one) => new RegExp(one, 'i').test(name)))
    if (kind) seen.set(kind.id, [...(seen.get(kind.id) ?? []), ...(oui === undefined ? [] : [oui])])
    if (kind && !seen.has(kind.id)) seen.set(kind.id, [])
  }
  const counted = [...seen].map(([id]) => [id, countOf(id, neighbours, kinds, ouis)] as const)
  const id =
    counted.length > 0
      ? pickWeighted(random, counted)
      : pickWeighted(
          random,
          kinds.map((one) => [one.id, one.weight] as const),
        )
  const kind = kinds.find((one) => one.id === id)
  if (!kind) throw new Error(`${template.id} names no hardware of the catalogue`)
  const cpu = pick(random, kind.cpus)
  const nominalKb = pick(random, kind.memoryMb) * 1024
  const keeps = reserved.from + random() * (reserved.to - reserved.from)
  const own = seen.get(kind.id) ?? []
  const known = [...(kind.ouis ?? ouis.ouisOf(kind.vendor))].filter(isGlobal)
  const oui = own.length > 0 && (random() < 0.7 || known.length === 0) ? pick(random, own) : pick(random, known)
  return {
    kind,
    cpuModel: cpu.model,
    cpuMhz: cpu.mhz,
    cores: pick(random, kind.cores),
    memoryKb: Math.floor((nominalKb * (1 - keeps)) / 4) * 4,
    oui,
    vendor: ouis.vendorOf(oui) ?? kind.vendor,
    because:
      counted.length > 0
        ? `cards of ${kind.vendor} are in the segment (${counted.map(([one, n]) => `${one} ${n}`).join(', ')})`
        : `no vendor of the segment fits ${template.label}; ${kind.vendor} is common for it`,
  }
}

function countOf(id: string, neighbours: readonly Neighbour[], kinds: readonly Hardware[], ouis: Ouis): number {
  const kind = kinds.find((one) => one.id === id)
  return neighbours.filter(({ mac, vendor }) => {
    const name = vendor ?? (mac === undefined ? undefined : ouis.vendorOf(ouiOf(mac)))
    return name !== undefined && kind?.match.some((one) => new RegExp(one, 'i').test(name))
  }).length
}

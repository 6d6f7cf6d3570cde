import { pickWeighted, type Random } from '../../shared/random.ts'
import { isSuch } from './build-services.ts'
import type { Neighbour } from './neighbours.ts'
import type { Role, Template } from './template.ts'

/**
 * A role that the host name speaks for, or any; of those, rather one whose services neighbours of the kind offer. None
 * that would not fit into the memory.
 */
export function roleOf(
  template: Template,
  hostname: string,
  memoryKb: number,
  alike: readonly Neighbour[],
  random: Random,
): { role: Role; because: string } {
  const fitting = template.roles.filter(
    ({ processes }) => processes.reduce((sum, { rss }) => sum + rss, 0) < memoryKb * 0.3,
  )
  const words = hostname.toLowerCase().split(/[^a-z]+/)
  const named = fitting.filter((role) => role.words.some((word) => words.includes(word)))
  const options = named.length > 0 ? named : fitting.length > 0 ? fitting : template.roles.slice(0, 1)
  const seen = (role: Role) =>
    alike.filter(({ ports }) => ports.some((port) => role.services.some((one) => isSuch(port, one, template)))).length
  const role = pickWeighted(
    random,
    options.map((one) => [one, one.weight * (1 + (4 * seen(one)) / Math.max(1, alike.length))] as const),
  )
  const why = [
    ...(named.length > 0 ? [`fits the name ${hostname}`] : []),
    ...(seen(role) > 0 ? [`${seen(role)} of ${alike.length} neighbours of the kind offer its services`] : []),
  ]
  return { role, because: why.join('; ') || 'drawn by how common it is' }
}

import type { Random } from '../../shared/random.ts'
import type { Catalogue } from './catalogue.ts'
import { learnNames, nextName } from './names.ts'
import { type Neighbour, recognise } from './neighbours.ts'
import type { Template } from './template.ts'

export type NameInput = {
  template: Template
  neighbours: readonly Neighbour[]
  /** Host names that must not be used again, lower case. */
  taken: ReadonlySet<string>
}

/** Servers are called as the segment's servers are, devices as devices of their kind. */
export function nameOf(catalogue: Catalogue, { template, neighbours, taken }: NameInput, random: Random) {
  const isDevice = template.people === null
  const devices = new Set(catalogue.templates.filter(({ people }) => people === null).map(({ id }) => id))
  const names = recognise(catalogue, neighbours)
    .filter(({ votes }) => {
      const [top] = [...votes].sort((a, b) => b[1] - a[1])
      return top === undefined ? !isDevice : isDevice ? top[0] === template.id : !devices.has(top[0])
    })
    .flatMap(({ neighbour }) => neighbour.names)
  const patterns = learnNames(names)
  const all = new Set([...taken, ...neighbours.flatMap((one) => one.names.map((name) => firstLabel(name)))])
  const { name, because } = nextName(patterns, all, random, template.names)
  return { name, because, domain: patterns.domain }
}

const firstLabel = (name: string) => (name.split('.')[0] ?? '').toLowerCase()

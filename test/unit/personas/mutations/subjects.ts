import { build, loadOuis, readCatalogue } from '../../../../controller/personas/index.ts'
import { newId } from '../../../../shared/ids.ts'
import type { Persona } from '../../../../shared/schemas/persona.ts'
import { debianHost } from '../neighbours.ts'

/** What is wrong, the persona in which it is, and a word of the complaint. */
export type Mutation = readonly [what: string, mutant: Persona, complaint: RegExp]

export const catalogue = readCatalogue()
export const ouis = await loadOuis()
export const now = Date.parse('2026-11-21T05:00:00Z')

function personaOf(family: string, seed: string, names: readonly string[] = []): Persona {
  const template = catalogue.templates.find(({ id }) => id === family)
  if (!template) throw new Error(`no ${family}`)
  const neighbours = names.map((name, i) => debianHost(i + 1, { names: [name], ports: [] }))
  const input = { id: newId(now), seed, template, because: 'test', neighbours, taken: new Set<string>(), now }
  return build(input, catalogue, ouis)
}

/** One persona of the family that has what a mutation needs. */
function having(family: string, has: (one: Persona) => boolean, names: readonly string[] = []): Persona {
  for (let i = 0; i < 200; i++) {
    const one = personaOf(family, `mutation-seed-${i}`, names)
    if (has(one)) return one
  }
  throw new Error(`no ${family} fits`)
}

const serviceOf = (kind: string) => (one: Persona) => one.services?.some((each) => each.kind === kind) === true
const changed = <T>(list: readonly T[] | undefined, at: (one: T) => boolean, change: (one: T) => T): T[] => {
  const found = (list ?? []).findIndex(at)
  if (found < 0) throw new Error('there is nothing to change')
  return (list ?? []).map((one, i) => (i === found ? change(one) : one))
}
type Listed = 'services' | 'files' | 'packages' | 'processes' | 'users' | 'honey'
type Item<K extends Listed> = NonNullable<Persona[K]>[number]

/** The persona with the first entry of a list that fits made wrong. */
export const within = <K extends Listed>(
  one: Persona,
  list: K,
  at: (item: Item<K>) => boolean,
  change: (item: Item<K>) => Item<K>,
): Persona => ({ ...one, [list]: changed<Item<K>>(one[list] as Item<K>[] | undefined, at, change) })

export const later = new Date(now + 86_400_000).toISOString()

export const debian = having(
  'debian-12',
  (one) => (one.honey?.length ?? 0) > 0 && (one.schedule?.logins.length ?? 0) > 0,
)
export const web = having('web-server-debian-12', serviceOf('http'))
export const database = having('database-server-debian-12', serviceOf('mysql'))
export const cache = having('database-server-debian-12', serviceOf('redis'), ['cache01', 'cache02'])
export const windows = having('windows-server-2019', serviceOf('smb'))
export const printer = personaOf('printer-laserjet', 'mutation-seed')

export const network = (one: Persona, change: Partial<NonNullable<Persona['network']>>): Persona => {
  if (!one.network) throw new Error('no network')
  return { ...one, network: { ...one.network, ...change } }
}
export const schedule = (one: Persona, change: Partial<NonNullable<Persona['schedule']>>): Persona => {
  if (!one.schedule) throw new Error('no schedule')
  return { ...one, schedule: { ...one.schedule, ...change } }
}
type CronLine = NonNullable<Persona['schedule']>['cron'][number]
/** The Debian server with the first line of its cron that fits made wrong. */
export const cronLine = (at: (line: CronLine) => boolean, change: (line: CronLine) => CronLine): Persona =>
  schedule(debian, { cron: changed(debian.schedule?.cron, at, change) })
export const processless = (one: Persona, text: string): Persona => ({
  ...one,
  processes: one.processes.filter(({ command }) => !command.includes(text)),
})

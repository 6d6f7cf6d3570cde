import { groupsOf } from './build-packages.ts'
import accountsData from './data/accounts.json' with { type: 'json' }
import algorithmsData from './data/algorithms.json' with { type: 'json' }
import hardwareData from './data/hardware.json' with { type: 'json' }
import localesData from './data/locales.json' with { type: 'json' }
import nearestData from './data/nearest.json' with { type: 'json' }
import networksData from './data/networks.json' with { type: 'json' }
import schedulesData from './data/schedules.json' with { type: 'json' }
import threatsData from './data/threats.json' with { type: 'json' }
import {
  type Accounts,
  type Algorithms,
  accounts,
  algorithms,
  type Hardware,
  hardware,
  type Locales,
  locales,
  type Nearest,
  type Networks,
  nearest,
  networks,
  type PackageList,
  packageList,
  type Schedules,
  schedules,
  type Threats,
  threats,
} from './data-files.ts'
import { resolveTemplate } from './resolve-template.ts'
import { shippedFamilies, shippedPackages } from './shipped.ts'
import type { Template } from './template.ts'

/** What decoys can pretend to be, with true values. */
export type Catalogue = {
  templates: readonly Template[]
  algorithms: Readonly<Record<string, Algorithms>>
  hardware: readonly Hardware[]
  accounts: Accounts
  nearest: Nearest
  packages: Readonly<Record<string, PackageList>>
  networks: Networks
  schedules: Schedules
  locales: Locales
  threats: Threats
}

/** Reads and checks the data files. A file that does not fit its schema is a fault of the program and throws. */
export function readCatalogue(): Catalogue {
  const catalogue: Catalogue = {
    templates: resolved(),
    algorithms: algorithms.parse(algorithmsData),
    hardware: hardware.parse(hardwareData),
    accounts: accounts.parse(accountsData),
    nearest: nearest.parse(nearestData),
    packages: Object.fromEntries(
      Object.entries(shippedPackages).map(([name, file]) => [name, packageList.parse(file)]),
    ),
    networks: networks.parse(networksData),
    schedules: schedules.parse(schedulesData),
    locales: locales.parse(localesData),
    threats: threats.parse(threatsData),
  }
  for (const one of catalogue.templates) {
    const [unknown] = unknownNames(one, catalogue)
    if (unknown) throw new Error(`template ${one.id}: ${unknown}`)
  }
  return catalogue
}

function resolved(): Template[] {
  const templates: Template[] = []
  for (const raw of shippedFamilies) {
    const found = resolveTemplate(raw, templates)
    if ('faults' in found) throw new Error(`${JSON.stringify(raw).slice(0, 60)}: ${JSON.stringify(found.faults[0])}`)
    templates.push(found.template)
  }
  return templates
}

/** Names in a template that the catalogue does not have, in words. */
export function unknownNames(one: Template, catalogue: Omit<Catalogue, 'templates'>): string[] {
  const list = one.packages === null ? undefined : catalogue.packages[one.packages]
  const hardwareIds = catalogue.hardware.map(({ id }) => id)
  const installable = new Set([...(list?.base ?? []), ...Object.values(list?.roles ?? {}).flat()].map(([name]) => name))
  const of = (what: string, name: string, all: readonly string[]) =>
    all.includes(name) ? [] : [`${what} ${name} is none of: ${all.join(', ')}`]
  return [
    ...of('network', one.network, Object.keys(catalogue.networks)),
    ...of('schedule', one.schedule, Object.keys(catalogue.schedules)),
    ...(one.packages === null ? [] : of('packages', one.packages, Object.keys(catalogue.packages))),
    ...one.hardware.flatMap((id) => of('hardware', id, hardwareIds)),
    ...one.roles.flatMap((role) =>
      groupsOf(role).flatMap((name) => of('packages of a role', name, Object.keys(list?.roles ?? {}))),
    ),
    ...(one.ssh?.packages ?? []).flatMap((each) =>
      of('algorithms', each.algorithms, Object.keys(catalogue.algorithms)),
    ),
    ...[...one.services, ...one.roles.flatMap(({ services }) => services)].flatMap(
      ({ kind, package: name, version }) =>
        name === undefined
          ? version === undefined
            ? [`service ${kind} has neither a package nor a version`]
            : []
          : installable.has(name)
            ? []
            : [`service ${kind} is of package ${name}, which ${one.packages ?? 'no list'} has not`],
    ),
  ]
}

export const templateOf = (catalogue: Catalogue, id: string): Template | undefined =>
  catalogue.templates.find((one) => one.id === id)

/** The algorithms that go with a banner of this template, or undefined where it could not show that banner. */
export function algorithmsOf(catalogue: Catalogue, { ssh }: Template, banner: string): Algorithms | undefined {
  const name =
    ssh?.packages.find((one) => one.banner === banner)?.algorithms ??
    ssh?.variants.find(({ pattern }) => new RegExp(pattern).test(banner))?.algorithms
  return name === undefined ? undefined : catalogue.algorithms[name]
}

import type { Random } from '../../shared/random.ts'
import type { HostPort } from '../../shared/schemas/inventory.ts'
import type { PersonaPackage, PersonaService } from '../../shared/schemas/persona.ts'
import { splitVersion } from './build-packages.ts'
import type { Threats } from './data-files.ts'
import type { Neighbour } from './neighbours.ts'
import type { Role, Template, TemplateService } from './template.ts'

export type ServicesInput = {
  template: Template
  role: Role
  packages: readonly PersonaPackage[]
  /** Neighbours of the same kind. */
  alike: readonly Neighbour[]
  threats: Threats
  fill(text: string): string
}

export type BuiltServices = { services: PersonaService[]; because: string[] }

/**
 * Services that are offered to the network: as many hosts of the kind as offer each one decide, else the share the
 * template knows, raised by what is hunted now. The version is the one of the installed package.
 */
export function buildServices(
  { template, role, packages, alike, threats, fill }: ServicesInput,
  random: Random,
): BuiltServices {
  const services: PersonaService[] = []
  const because: string[] = []
  for (const one of [...template.services, ...role.services]) {
    const drawn = random()
    const offering = alike.filter(({ ports }) => ports.some((port) => isSuch(port, one, template)))
    const hunted = threats.services.find(({ kind }) => kind === one.kind)
    const always = template.everyService && role.services.includes(one)
    // Like its neighbours; but one whose purpose the service is has it whether or not they do.
    const usual = offering.length > 0 ? offering.length / alike.length : one.share
    if (!always && drawn >= Math.min(1, usual * (hunted?.weight ?? 1))) continue
    services.push(made(one, packages, fill))
    const seen =
      offering.length > 0 ? `${offering.length} of ${alike.length} of its kind offer it` : 'usual for such a host'
    because.push(`${one.kind} ${one.port}: ${seen}${hunted ? `; ${hunted.because}` : ''}`)
  }
  return { services, because }
}

/**
 * Whether a port of a neighbour is this service, as far as it says: not if it names the product that another role of the
 * template has there, as Apache where this one is nginx.
 */
export function isSuch(
  { port, product = '', version = '' }: HostPort,
  service: TemplateService,
  { services, roles }: Template,
): boolean {
  if (port !== service.port) return false
  const words = `${product} ${version}`.toLowerCase()
  const isNamed = (one: TemplateService) => words.includes((one.product.split(' ')[0] ?? '').toLowerCase())
  const others = [...services, ...roles.flatMap((role) => role.services)].filter((one) => one.port === port)
  return isNamed(service) || !others.some(isNamed)
}

function made(
  one: TemplateService,
  packages: readonly PersonaPackage[],
  fill: (text: string) => string,
): PersonaService {
  const installed = packages.find(({ name }) => name === one.package)
  const { upstream, revision } = splitVersion(installed?.version ?? one.version ?? '')
  const filled = (text: string) => fill(text).replaceAll('{upstream}', upstream).replaceAll('{revision}', revision)
  return {
    kind: one.kind,
    port: one.port,
    product: one.product,
    version: installed ? upstream : (one.version ?? ''),
    settings: Object.fromEntries(
      Object.entries(one.settings).map(([name, value]) => [name, typeof value === 'string' ? filled(value) : value]),
    ),
    ...(one.pages && { pages: one.pages }),
  }
}

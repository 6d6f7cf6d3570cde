import type { Persona, PersonaService } from '../../shared/schemas/persona.ts'
import { servicesFaults } from '../../shared/services.ts'
import { kernelPackage, splitVersion, sshVersion } from './build-packages.ts'
import type { Catalogue } from './catalogue.ts'
import { failing } from './failing.ts'
import type { Template, TemplateService } from './template.ts'

/** Each service with its process, its package, its host's name and the pages on its disk. */
export function furtherServices(persona: Persona, template: Template): string[] {
  const { services = [], processes } = persona
  const redis = services.some(({ kind }) => kind === 'redis')
  const title = processes.find(({ command }) => command.startsWith('/usr/bin/redis-server'))?.command
  return [
    ...servicesFaults(persona),
    ...services.flatMap((service) => oneService(service, persona, template)),
    ...failing([
      title !== undefined && title.includes('*:') !== redis,
      `Redis says it listens at ${title?.split(' ')[1]}, but it is ${redis ? '' : 'not '}offered`,
    ]),
  ]
}

function oneService(service: PersonaService, persona: Persona, template: Template): string[] {
  const { kind, port, product, version, settings, pages = [] } = service
  const { processes, packages = [], hostname, files = [] } = persona
  const known = definitionsOf(template).filter((one) => one.kind === kind && one.port === port)
  const one = known.find((each) => each.product === product)
  if (!one) return [`${template.label} offers no ${product} (${kind}) at port ${port}`]
  const installed = packages.find(({ name }) => name === one.package)
  const runs = one.process === null || processes.some(({ command }) => new RegExp(one.process ?? '').test(command))
  const expected = one.package === undefined ? one.version : installed && splitVersion(installed.version).upstream
  const { serverVersion, netbiosName } = settings
  const onDisk = files.find(({ path }) => path.endsWith('/html/index.html'))
  return failing(
    [!runs, `${product} is offered at port ${port} without its process`],
    [one.package !== undefined && !installed, `${product} is offered, but ${one.package} is not installed`],
    [expected !== undefined && version !== expected, `${product} says ${version}, installed is ${expected}`],
    [
      typeof serverVersion === 'string' && !isGreeting(serverVersion, version),
      `${product} greets as ${String(serverVersion)}, it is ${version}`,
    ],
    [
      netbiosName !== undefined && netbiosName !== hostname.toUpperCase().slice(0, 15),
      `${kind} names ${String(netbiosName)}, the host is ${hostname}`,
    ],
    [
      onDisk !== undefined && pages.some(({ path, body }) => path === '/' && body !== onDisk.content),
      'the start page is not the one on the disk',
    ],
    [JSON.stringify(settings).includes('{hostname}'), `${kind} has an open placeholder`],
  )
}

/** MariaDB before 11 passes for a MySQL 5.5.5 with a longer name. */
const isGreeting = (words: string, version: string) => words.replace(/^5\.5\.5-(?=10\.)/, '').startsWith(version)

const definitionsOf = ({ services, roles }: Template): TemplateService[] => [
  ...services,
  ...roles.flatMap((role) => role.services),
]

export function networkStack({ network, ttl }: Persona, template: Template, catalogue: Catalogue): string[] {
  const known = catalogue.networks[template.network]
  if (!network || !known) return ['it has no network stack']
  const { note: _, ttl: expected, ...fields } = known
  const wrong = (Object.keys(fields) as (keyof typeof fields)[]).filter((name) => network[name] !== fields[name])
  return [
    ...wrong.map((name) => `${template.label} has not ${name} ${network[name]} but ${fields[name]}`),
    ...failing(
      [ttl !== expected, `a TTL of ${ttl}, ${template.label} has ${expected}`],
      [(network.stack === 'windows') !== (template.platform === 'windows'), `a stack of ${network.stack}`],
    ),
  ]
}

/** Installed packages with the release, the running kernel, the SSH banner, the role that runs and the date. */
export function packagesOf(persona: Persona, template: Template, catalogue: Catalogue, now: number): string[] {
  const { packages, os, ssh, processes } = persona
  const list = template.packages === null ? undefined : catalogue.packages[template.packages]
  if (!list || !packages)
    return failing([(list === undefined) !== (packages === undefined), `${template.label} has packages, or has none`])
  const versions = new Map(
    [...list.base, ...Object.values(list.roles).flat()].map(([name, version]) => [name, version]),
  )
  const kernel = kernelPackage(list, os.kernel)
  const announced = ssh && sshVersion(ssh.banner)
  const found: string[] = []
  const names = packages.map(({ name }) => name)
  if (new Set(names).size !== names.length) found.push('a package is installed twice')
  for (const [name] of list.base)
    if (!names.includes(name)) found.push(`${name} is missing, without which nothing runs`)
  for (const { name, version } of packages) {
    const isSsh = announced !== undefined && /^openssh-(server|client|sftp-server)$/.test(name)
    const expected = name === kernel?.name ? kernel.version : isSsh ? announced : versions.get(name)
    if (expected === undefined) found.push(`${name} is no package of ${template.label}`)
    else if (version !== expected) found.push(`${name} ${version} is installed, it must be ${expected}`)
  }
  if (kernel && !names.includes(kernel.name)) found.push(`the running kernel's package ${kernel.name} is missing`)
  if (Date.parse(list.read) > now) found.push(`its packages are of ${list.read}, in the future`)
  for (const { services, processes: own } of template.roles) {
    const main = services[0]?.package
    const marks = own.map(({ command }) => command.split(' {')[0] ?? command)
    const runs = marks.length > 0 && marks.every((mark) => processes.some(({ command }) => command.startsWith(mark)))
    if (main !== undefined && runs !== names.includes(main))
      found.push(`${main} is ${runs ? 'not installed but runs' : 'installed but does not run'}`)
  }
  return found
}

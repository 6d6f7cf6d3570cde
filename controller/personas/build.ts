import { pickWeighted, type Random, seededRandom } from '../../shared/random.ts'
import type { Persona, PersonaSsh, PersonaUser } from '../../shared/schemas/persona.ts'
import type { WeekActivity } from './activity.ts'
import { buildFiles } from './build-files.ts'
import { buildHardware } from './build-hardware.ts'
import { buildPackages } from './build-packages.ts'
import { buildProcesses } from './build-processes.ts'
import { buildSchedule } from './build-schedule.ts'
import { buildServices } from './build-services.ts'
import { buildUsers } from './build-users.ts'
import { algorithmsOf, type Catalogue } from './catalogue.ts'
import { digits } from './files/context.ts'
import { type Place, placeOf } from './locale.ts'
import { learnNames, nextName } from './names.ts'
import { type Neighbour, recognise, sshBannerOf } from './neighbours.ts'
import type { Ouis } from './ouis.ts'
import { isPerson } from './people.ts'
import type { Role, Template } from './template.ts'

export type BuildInput = {
  id: string
  /** All that is drawn is drawn from this: the same input builds the same persona. */
  seed: string
  template: Template
  /** Why this template, from `choose`. */
  because: string
  neighbours: readonly Neighbour[]
  /** Host names that must not be used again, lower case. */
  taken: ReadonlySet<string>
  /** Language and time zone the controller is set to. */
  place?: Place
  /** When the segment is busy, as far as it was observed. */
  activity?: WeekActivity
  /** Milliseconds since 1970. */
  now: number
}

const dayMs = 86_400_000

/** A whole persona in which each field agrees with each other, with the reason for each choice. Pure. */
export function build(input: BuildInput, catalogue: Catalogue, ouis: Ouis): Persona {
  const { id, seed, template, neighbours, now } = input
  // Each field draws from a stream of its own, so that one that draws more does not change the others.
  const draw = (field: string): Random => seededRandom(`${seed}/${field}`)
  const reasons: Persona['reasons'] = [{ field: 'family', because: input.because.slice(0, 512) }]
  const why = (field: string, because: string) => reasons.push({ field, because: because.slice(0, 512) })
  const alike = recognise(catalogue, neighbours)
    .filter(({ votes }) => [...votes].sort((a, b) => b[1] - a[1])[0]?.[0] === template.id)
    .map(({ neighbour }) => neighbour)

  const machine = buildHardware(catalogue, template, neighbours, ouis, draw('hardware'))
  why('mac', `${machine.because}; ${machine.oui} is ${machine.vendor}`)
  why('hardware', `${machine.kind.vendor} machines have such processors and memory`)

  const named = nameOf(catalogue, input, draw('name'))
  why('hostname', named.because)
  const { role, because } = roleOf(template, named.name, machine.memoryKb, alike, draw('role'))
  if (role.processes.length > 0) why('processes', `${role.id}: ${because}`)
  else why('processes', `the services that ${template.label} starts by itself`)

  const kernels = template.kernels.filter(({ built }) => Date.parse(built) + 10 * dayMs < now)
  const kernel = pickWeighted(
    draw('kernel'),
    (kernels.length > 0 ? kernels : template.kernels.slice(0, 1)).map((one) => [one, one.weight] as const),
  )
  why('os.kernel', `a kernel that ${template.label} shipped on ${kernel.built}`)

  const rhythm = needed(catalogue.schedules, template.schedule)
  // Squared: most machines were restarted lately, few stay up for longer than they should.
  const upMs = (1 + draw('uptime')() ** 2 * 1.5 * rhythm.rebootEveryDays) * dayMs
  const bootedAt = Math.floor(Math.max(now - upMs, Date.parse(kernel.built) + dayMs) / 1000) * 1000
  why('bootedAt', `some time after its kernel was built; such hosts restart every ${rhythm.rebootEveryDays} days or so`)

  const { users, open } = buildUsers(template, role, catalogue.accounts, draw('users'))
  why(
    'users',
    open.length > 0
      ? `users of ${template.label}; weak passwords open ${open.join(' and ')}${waiting(users)}`
      : `users of ${template.label}; nobody is let in`,
  )

  const ssh = sshOf(catalogue, template, alike, draw('ssh'))
  if (ssh) why('ssh', ssh.because)
  const telnet = hasTelnet(template, alike, draw('telnet')())
  if (telnet) why('telnet', telnet.because)

  const serial = digits(draw('serial'), 10)
  const place = placeOf(catalogue.locales, named.domain, input.place ?? defaultPlace)
  why('locale', place.because)
  const list = template.packages === null ? undefined : needed(catalogue.packages, template.packages)
  const packages =
    list && buildPackages(template, role, list, { kernel, banner: ssh?.ssh.banner, telnet: telnet !== undefined })
  if (list) why('packages', `${list.source}, as of ${list.read}`)

  const fillName = (text: string) =>
    text
      .replaceAll('{NETBIOS}', named.name.toUpperCase().slice(0, 15))
      .replaceAll('{serial}', serial)
      .replaceAll('{hostname}', named.name)
      .replaceAll('{release}', kernel.release)
      .replaceAll('{build}', kernel.build)
      .replaceAll('{machine}', kernel.machine)
      .replaceAll('{pretty}', template.os.prettyName)
  const offered = buildServices(
    { template, role, packages: packages ?? [], alike, threats: catalogue.threats, fill: fillName },
    draw('services'),
  )
  for (const because of offered.because) why('services', because)
  const fill = (text: string) =>
    // Redis that listens for the network says so in its title.
    fillName(text).replaceAll('{redis}', offered.services.some(({ kind }) => kind === 'redis') ? '*' : '127.0.0.1')

  const { ttl, note, ...network } = needed(catalogue.networks, template.network)
  why('network', note)
  // Cameras are delivered with their maker's zone; a set one fits the place.
  const timezone = template.timezones.includes('Asia/Shanghai') ? 'Asia/Shanghai' : place.timezone
  const observed = { week: input.activity, timezone, now }
  const life = buildSchedule(rhythm, template, users, neighbours, observed, draw('schedule'))
  why('schedule', life.because)
  const made = buildFiles(
    {
      template,
      role,
      hostname: named.name,
      domain: named.domain ?? 'local',
      words: place.words,
      language: place.language,
      users,
      people: users.filter((user) => isPerson(template, user)),
      services: offered.services,
      schedule: life.schedule,
      neighbours,
      serial,
      now,
      installedAt: Math.max(Date.parse(kernel.built), now - 700 * dayMs),
    },
    seed,
  )
  why('files', `drawn from the seed in the language ${place.language}; no other host has them`)
  if (made.honey.length > 0)
    why('honey', `${made.honey.length} log-ins that open nothing: seen at any decoy, they tell which file was read`)

  const cores = machine.cores
  return {
    id,
    version: 1,
    seed,
    family: template.id,
    hostname: named.name,
    ...(named.domain !== undefined && { domain: named.domain }),
    os: {
      ...template.os,
      kernel: {
        name: template.kernelName,
        release: kernel.release,
        build: kernel.build,
        machine: kernel.machine,
        operatingSystem: template.operatingSystem,
      },
    },
    hardware: {
      vendor: machine.kind.vendor,
      cpuModel: machine.cpuModel,
      cpuMhz: machine.cpuMhz,
      cores,
      memoryKb: machine.memoryKb,
    },
    mac: { oui: machine.oui, vendor: machine.vendor },
    timezone,
    bootedAt: new Date(bootedAt).toISOString(),
    ...(ssh && { ssh: ssh.ssh }),
    ...(telnet && {
      telnet: {
        banner: fill(telnet.text.banner),
        loginPrompt: fill(telnet.text.loginPrompt),
        passwordPrompt: telnet.text.passwordPrompt,
      },
    }),
    issue: fill(template.issue),
    motd: fill(template.motd),
    users,
    processes: buildProcesses(
      { template, role, cores, memoryKb: machine.memoryKb, bootedAt, now, telnet: telnet !== undefined, fill },
      draw('processes'),
    ),
    ttl,
    locale: place.locale,
    ...(made.services.length > 0 && { services: made.services }),
    network,
    schedule: { ...life.schedule, cron: made.cron },
    ...(packages && { packages }),
    ...(made.files.length > 0 && { files: made.files }),
    ...(made.honey.length > 0 && { honey: made.honey }),
    reasons: reasons.slice(0, 64),
  }
}

const defaultPlace: Place = { locale: 'en_US.UTF-8', timezone: 'Etc/UTC' }

function needed<T>(all: Readonly<Record<string, T>>, name: string): T {
  const one = all[name]
  if (one === undefined) throw new Error(`the catalogue has no ${name}`)
  return one
}

/** Servers are called as the segment's servers are, devices as devices of their kind. */
function nameOf(catalogue: Catalogue, { template, neighbours, taken }: BuildInput, random: Random) {
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

/**
 * A role that the host name speaks for, or any; of those, rather one whose services neighbours of the kind offer. None
 * that would not fit into the memory.
 */
function roleOf(
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
    alike.filter(({ ports }) => ports.some(({ port }) => role.services.some((one) => one.port === port))).length
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

/** The very version that neighbours of the kind run, if it is known how that version behaves; else one of the packages. */
function sshOf(catalogue: Catalogue, template: Template, alike: readonly Neighbour[], random: Random) {
  if (!template.ssh) return undefined
  const seen = new Map<string, number>()
  for (const banner of alike.map(sshBannerOf))
    if (banner !== undefined && algorithmsOf(catalogue, template, banner)) seen.set(banner, (seen.get(banner) ?? 0) + 1)
  const banner =
    seen.size > 0
      ? pickWeighted(random, [...seen])
      : pickWeighted(
          random,
          template.ssh.packages.map((one) => [one.banner, one.weight] as const),
        )
  const algorithms = algorithmsOf(catalogue, template, banner)
  if (!algorithms) throw new Error(`no algorithms are known for ${banner}`)
  const ssh: PersonaSsh = { banner, ...algorithms, maxAuthTries: template.ssh.maxAuthTries }
  const count = seen.get(banner)
  return {
    ssh,
    because:
      count === undefined
        ? `${banner} is a package of ${template.label}; no neighbour shows another`
        : `${count} ${count === 1 ? 'neighbour runs' : 'neighbours run'} this very version (${banner})`,
  }
}

function hasTelnet(template: Template, alike: readonly Neighbour[], drawn: number) {
  if (!template.telnet) return undefined
  const offering = alike.filter(({ ports }) => ports.some(({ port, service }) => port === 23 || service === 'telnet'))
  const share = offering.length > 0 ? offering.length / alike.length : template.telnet.share
  if (template.ssh !== null && drawn >= share) return undefined
  return {
    text: template.telnet.text,
    because:
      offering.length > 0
        ? `${offering.length} of ${alike.length} neighbours of the kind offer telnet`
        : `such systems often offer telnet`,
  }
}

/** Which of them open only to who does not give up. */
const waiting = (users: readonly PersonaUser[]): string =>
  users
    .filter(({ acceptFromTry = 1 }) => acceptFromTry > 1)
    .map(({ name, acceptFromTry }) => `, ${name} from try ${acceptFromTry} of a source on`)
    .join('')

import { pickWeighted, type Random, seededRandom } from '../../shared/random.ts'
import type { Persona, PersonaUser } from '../../shared/schemas/persona.ts'
import type { WeekActivity } from './activity.ts'
import { sshOf, telnetOf } from './build-access.ts'
import { buildFiles } from './build-files.ts'
import { buildHardware } from './build-hardware.ts'
import { nameOf } from './build-name.ts'
import { buildPackages } from './build-packages.ts'
import { buildProcesses } from './build-processes.ts'
import { roleOf } from './build-role.ts'
import { buildSchedule } from './build-schedule.ts'
import { buildServices } from './build-services.ts'
import { buildUsers } from './build-users.ts'
import type { Catalogue } from './catalogue.ts'
import { digits } from './files/context.ts'
import { type Place, placeOf } from './locale.ts'
import { type Neighbour, recognise } from './neighbours.ts'
import type { Ouis } from './ouis.ts'
import { isPerson } from './people.ts'
import type { Template } from './template.ts'

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
  const telnet = telnetOf(template, alike, draw('telnet')())
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
    ...(template.busybox && { busybox: template.busybox }),
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

/** Which of them open only to who does not give up. */
const waiting = (users: readonly PersonaUser[]): string =>
  users
    .filter(({ acceptFromTry = 1 }) => acceptFromTry > 1)
    .map(({ name, acceptFromTry }) => `, ${name} from try ${acceptFromTry} of a source on`)
    .join('')

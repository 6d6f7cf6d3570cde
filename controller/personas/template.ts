import { z } from 'zod'
import { port } from '../../shared/schemas/common.ts'
import { personaBusybox, personaPage, personaUser, serviceKind } from '../../shared/schemas/persona.ts'

export const weight = z.number().positive()
export const pattern = z.string().refine((text) => {
  try {
    return new RegExp(text, 'i') !== undefined
  } catch {
    return false
  }
}, 'a regular expression')

const process = z.strictObject({
  user: z.string(),
  command: z.string().max(256),
  /** kB. */
  rss: z.int().min(0),
  vsz: z.int().min(0),
  stat: z.string().max(8),
  /** Minutes of processor time it takes in a day. */
  minutesPerDay: z.number().min(0),
})

/** A user of a distribution; roles leave the uid to the next free one of the system. */
const user = personaUser.omit({ passwords: true, uid: true, gid: true }).extend({
  uid: z.int().min(0).nullable(),
  gid: z.int().min(0).nullable(),
})

/** A further service; its version is the one of `package` where that is given. Settings may have placeholders. */
const service = z.strictObject({
  kind: serviceKind,
  port,
  product: z.string().max(64),
  package: z.string().max(96).optional(),
  version: z.string().max(64).optional(),
  settings: z.record(z.string().max(64), z.union([z.string().max(2048), z.number(), z.boolean()])).default({}),
  pages: z.array(personaPage).max(32).optional(),
  /** Part of such hosts that offer it to the network; others run it for themselves only. */
  share: z.number().min(0).max(1).default(1),
  /** What a command line of the processes must match while this is offered; null where the system shows none. */
  process: pattern.nullable(),
})

const role = z.strictObject({
  id: z.string(),
  weight,
  /** Words of a host name that speak for this role. */
  words: z.array(z.string()),
  users: z.array(user),
  processes: z.array(process),
  services: z.array(service).default([]),
  /** Groups of the list of packages that come with this role. */
  packages: z.union([z.string(), z.array(z.string())]).optional(),
})

/** Kinds of files that are made for a persona; each is a maker in `files/`. */
export const contentKind = z.enum([
  ...['history', 'keys', 'cron', 'backup', 'application', 'documents'],
  ...['openwrt', 'camera', 'nas', 'windows'],
] as const)

/** What one system really says of itself, from its packages. Placeholders: {hostname} {release} {build} {machine} {pretty} {cpu} {Name} {name}. */
export const template = z.strictObject({
  id: z.string().regex(/^[a-z0-9.-]{1,64}$/),
  label: z.string(),
  /** The template it was made from. */
  extends: z.string().optional(),
  platform: z.enum(['linux', 'windows', 'firmware']).default('linux'),
  /** `uname -s`. */
  kernelName: z.string().default('Linux'),
  /** Names in networks.json, schedules.json and packages/; null for a system that has no packages. */
  network: z.string(),
  schedule: z.string(),
  packages: z.string().nullable(),
  content: z.array(contentKind).default([]),
  services: z.array(service).default([]),
  /** Its role's services are always offered: such a host is known by them. */
  everyService: z.boolean().default(false),
  /**
   * In this part of open accounts a right password is let in only from a drawn try on, `least` to `most`. With `users`,
   * of these accounts alone, and only where another one opens at once.
   */
  patience: z
    .strictObject({
      share: z.number().min(0).max(1),
      least: z.int().min(2).max(1000).default(2),
      most: z.int().min(2).max(1000),
      users: z.array(z.string()).min(1).optional(),
    })
    .refine(({ least, most }) => least <= most, 'least is above most')
    .optional(),
  /** Nobody is let in: what can be seen is its answers, not its inside. */
  closed: z.boolean().default(false),
  os: z.strictObject({ id: z.string(), name: z.string(), version: z.string(), prettyName: z.string() }),
  operatingSystem: z.string(),
  kernels: z
    .array(z.strictObject({ release: z.string(), build: z.string(), built: z.iso.date(), machine: z.string(), weight }))
    .min(1),
  ssh: z
    .strictObject({
      maxAuthTries: z.int().min(1),
      packages: z.array(z.strictObject({ banner: z.string(), algorithms: z.string(), weight })).min(1),
      /** Further patch levels of the same packages, which are taken over where neighbours show them. */
      variants: z.array(z.strictObject({ pattern, algorithms: z.string() })),
    })
    .nullable(),
  telnet: z
    .strictObject({
      /** Part of such systems that offer it; with `neighbours`, as many as neighbours of the kind do. */
      share: z.number().min(0).max(1),
      when: z.enum(['always', 'neighbours']),
      text: z.strictObject({ banner: z.string(), loginPrompt: z.string(), passwordPrompt: z.string() }),
      process,
    })
    .nullable(),
  hardware: z.array(z.string()).min(1),
  /** How a neighbour is known to be one. `said`: its services name the release; `maybe`: the distribution only. */
  recognise: z.strictObject({
    said: z.array(pattern),
    maybe: z.array(pattern),
    os: z.array(pattern),
    vendor: z.array(pattern),
    /** One of these ports must be open; empty for no such condition. */
    ports: z.array(port).default([]),
  }),
  users: z.array(user).min(1),
  /** People with log-ins; null for devices that only know root. */
  people: z
    .strictObject({ firstUid: z.int(), shell: z.string(), names: z.array(z.string()), gecos: z.string() })
    .nullable(),
  threads: z.strictObject({ before: z.array(process), perCpu: z.array(z.string()), after: z.array(process) }),
  init: process,
  processes: z.array(process),
  sshProcess: process.nullable(),
  roles: z.array(role).min(1),
  /** Where every command is BusyBox. */
  busybox: personaBusybox.optional(),
  motd: z.string().max(2048),
  issue: z.string().max(512),
  names: z.array(z.string()).min(1),
  timezones: z.array(z.string()).min(1),
  /** Passwords that such devices are delivered with, by user. */
  defaultPasswords: z.record(z.string(), z.array(z.string()).min(1)).optional(),
})

export type TemplateService = z.infer<typeof service>
export type Template = z.infer<typeof template>
export type TemplateProcess = z.infer<typeof process>
export type Role = z.infer<typeof role>

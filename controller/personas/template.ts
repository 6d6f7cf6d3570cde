import { z } from 'zod'
import { port } from '../../shared/schemas/common.ts'
import { personaBusybox, personaNetwork, personaPage, personaUser, serviceKind } from '../../shared/schemas/persona.ts'

const weight = z.number().positive()
const pattern = z.string().refine((text) => {
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

export const algorithms = z.record(
  z.string(),
  z.strictObject({
    kex: z.array(z.string()).min(1),
    hostKeys: z.array(z.enum(['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa', 'ecdsa-sha2-nistp256', 'ssh-ed25519'])).min(1),
    ciphers: z.array(z.string()).min(1),
    macs: z.array(z.string()).min(1),
    compression: z.array(z.string()).min(1),
  }),
)

export const hardware = z.array(
  z.strictObject({
    id: z.string(),
    vendor: z.string(),
    /** Vendor names, as scanners and the IEEE write them, that speak for this hardware. */
    match: z.array(pattern).min(1),
    /** Where the vendor uses only these for it. */
    ouis: z.array(z.string()).optional(),
    machine: z.string(),
    weight,
    cpus: z.array(z.strictObject({ model: z.string(), mhz: z.number() })).min(1),
    cores: z.array(z.int()).min(1),
    memoryMb: z.array(z.int()).min(1),
  }),
)

export const accounts = z.strictObject({
  people: z.array(z.string()).min(1),
  weakPasswords: z.array(z.string()).min(1),
  rootPasswords: z.array(z.string()).min(1),
  ownPassword: z.array(z.string()).min(1),
})

export const nearest = z.array(z.strictObject({ pattern, name: z.string(), templates: z.array(z.string()).min(1) }))

const versioned = z.tuple([z.string().max(96), z.string().max(96), z.string().max(16), z.string().max(128)])

/** What a release's packages are: name, version, architecture, summary. `source` says whether they were read or set down by hand. */
export const packageList = z.strictObject({
  format: z.enum(['dpkg', 'rpm', 'opkg']),
  source: z.string(),
  /** All versions were there on this day. */
  read: z.iso.date(),
  /** Name of the running kernel's package, with `{release}`; empty for none. */
  kernel: z.string(),
  base: z.array(versioned),
  roles: z.record(z.string(), z.array(versioned)),
})

export const networks = z.record(
  z.string(),
  z.strictObject({ ...personaNetwork.shape, note: z.string(), ttl: z.int().min(32).max(255) }),
)

export const schedules = z.record(
  z.string(),
  z.strictObject({
    workDays: z.array(z.int().min(1).max(7)).max(7),
    workFrom: z.number(),
    workTo: z.number(),
    loginsPerDay: z.number().min(0),
    updateEveryDays: z.number().min(0),
    rebootEveryDays: z.number().min(0),
    cron: z.array(z.strictObject({ user: z.string(), at: z.string(), command: z.string(), file: z.string() })),
  }),
)

/** What is hunted now: weights that choices are multiplied with, between a half and two. */
export const threats = z.strictObject({
  source: z.string().max(500),
  date: z.iso.date(),
  families: z.array(
    z.strictObject({ match: pattern, weight: z.number().min(0.5).max(2), because: z.string().max(200) }),
  ),
  services: z.array(
    z.strictObject({ kind: serviceKind, weight: z.number().min(0.5).max(2), because: z.string().max(200) }),
  ),
})

export const locales = z.record(
  z.string().regex(/^[a-z]{2}_[A-Z]{2}$/),
  z.strictObject({
    zones: z.array(z.string()).min(1),
    tlds: z.array(z.string()),
    first: z.array(z.string()).min(1),
    last: z.array(z.string()).min(1),
    companies: z.array(z.string()).min(1),
    /** Name and text, with placeholders. */
    documents: z.array(z.tuple([z.string(), z.string()])).min(1),
    folder: z.string(),
    todo: z.string(),
  }),
)

export type TemplateService = z.infer<typeof service>
export type PackageList = z.infer<typeof packageList>
export type Networks = z.infer<typeof networks>
export type Schedule = z.infer<typeof schedules>[string]
export type Schedules = z.infer<typeof schedules>
export type Threats = z.infer<typeof threats>
export type Locales = z.infer<typeof locales>
export type Locale = Locales[string]
export type Template = z.infer<typeof template>
export type TemplateProcess = z.infer<typeof process>
export type Role = z.infer<typeof role>
export type Hardware = z.infer<typeof hardware>[number]
export type Algorithms = z.infer<typeof algorithms>[string]
export type Accounts = z.infer<typeof accounts>
export type Nearest = z.infer<typeof nearest>

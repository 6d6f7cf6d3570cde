import { z } from 'zod'
import { personaUser } from '../../shared/schemas/persona.ts'

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

const role = z.strictObject({
  id: z.string(),
  weight,
  /** Words of a host name that speak for this role. */
  words: z.array(z.string()),
  users: z.array(user),
  processes: z.array(process),
})

/** What one system really says of itself, from its packages. Placeholders: {hostname} {release} {build} {machine} {pretty} {cpu} {Name} {name}. */
export const template = z.strictObject({
  id: z.string().regex(/^[a-z0-9.-]+$/),
  label: z.string(),
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
  motd: z.string().max(2048),
  issue: z.string().max(512),
  names: z.array(z.string()).min(1),
  timezones: z.array(z.string()).min(1),
  /** Passwords that such devices are delivered with, by user. */
  defaultPasswords: z.record(z.string(), z.array(z.string()).min(1)).optional(),
  ttl: z.int(),
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

export type Template = z.infer<typeof template>
export type TemplateProcess = z.infer<typeof process>
export type Role = z.infer<typeof role>
export type Hardware = z.infer<typeof hardware>[number]
export type Algorithms = z.infer<typeof algorithms>[string]
export type Accounts = z.infer<typeof accounts>
export type Nearest = z.infer<typeof nearest>

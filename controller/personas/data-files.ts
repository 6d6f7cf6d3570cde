import { z } from 'zod'
import { personaNetwork, serviceKind } from '../../shared/schemas/persona.ts'
import { pattern, weight } from './template.ts'

// The files of data/, which templates name: one schema each.

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

export type PackageList = z.infer<typeof packageList>
export type Networks = z.infer<typeof networks>
export type Schedule = z.infer<typeof schedules>[string]
export type Schedules = z.infer<typeof schedules>
export type Threats = z.infer<typeof threats>
export type Locales = z.infer<typeof locales>
export type Locale = Locales[string]
export type Hardware = z.infer<typeof hardware>[number]
export type Algorithms = z.infer<typeof algorithms>[string]
export type Accounts = z.infer<typeof accounts>
export type Nearest = z.infer<typeof nearest>

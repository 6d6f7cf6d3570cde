import { pick, type Random } from '../../../shared/random.ts'
import type {
  HoneyCredential,
  PersonaFile,
  PersonaSchedule,
  PersonaService,
  PersonaUser,
} from '../../../shared/schemas/persona.ts'
import type { Locale } from '../data-files.ts'
import type { Neighbour } from '../neighbours.ts'
import type { Role, Template } from '../template.ts'

/** What a maker of files is given. It draws from `random` only, which is its own. */
export type FilesInput = {
  template: Template
  role: Role
  hostname: string
  domain: string
  words: Locale
  /** As `en_US`. */
  language: string
  users: readonly PersonaUser[]
  people: readonly PersonaUser[]
  services: readonly PersonaService[]
  schedule: PersonaSchedule
  neighbours: readonly Neighbour[]
  serial: string
  /** Milliseconds since 1970; nothing is older than `installedAt`. */
  now: number
  installedAt: number
}

/** What makers add to. */
export type Sheet = {
  input: FilesInput
  random: Random
  files: PersonaFile[]
  honey: HoneyCredential[]
  cron: PersonaSchedule['cron']
}

export type Maker = (sheet: Sheet) => void

const dayMs = 86_400_000
const syllables = [
  'bran',
  'tor',
  'vel',
  'mik',
  'sun',
  'dar',
  'pol',
  'ren',
  'gal',
  'hov',
  'lin',
  'quor',
  'wex',
  'zan',
  'fer',
  'nok',
]

export function write(
  { input, random, files }: Sheet,
  path: string,
  owner: Pick<PersonaUser, 'uid' | 'gid'>,
  mode: number,
  content: string,
): void {
  if (files.some((file) => file.path === path)) return
  const span = input.now - input.installedAt
  const at = input.now - Math.max(3_600_000, Math.floor(random() ** 2 * span))
  const whole = new Date(Math.floor(at / 1000) * 1000).toISOString()
  files.push({ path, mode, uid: owner.uid, gid: owner.gid, modifiedAt: whole, content })
}

/** A password that nothing but a file of this decoy has ever held; recorded with where it stands. */
export function honeyIn({ random, honey }: Sheet, service: string, username: string, path: string): string {
  const word = () => pick(random, syllables) + pick(random, syllables)
  const one = word()
  const password = `${one.charAt(0).toUpperCase()}${one.slice(1)}${pick(random, ['-', '.', '_', '!'])}${word()}${1000 + Math.floor(random() * 9000)}${pick(random, syllables).charAt(0)}`
  honey.push({ username, password, service, path })
  return password
}

export const root = ({ input }: Sheet): PersonaUser => {
  const [first] = input.users
  if (!first) throw new Error('a persona without users')
  return first
}

export const daysAgo = (now: number, days: number): Date => new Date(now - days * dayMs)

/** A host of the segment, as someone on this machine would name it. */
export function someHost({ input, random }: Sheet): string {
  const known = input.neighbours.flatMap(({ names, ip }) => [names[0] ?? ip]).sort()
  return known.length > 0 ? pick(random, known) : `${pick(random, ['backup', 'files', 'git'])}.${input.domain}`
}

export const digits = (random: Random, count: number): string =>
  Array.from({ length: count }, () => Math.floor(random() * 10)).join('')

export const hex = (random: Random, count: number): string =>
  Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join('')

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import pkg from '../package.json' with { type: 'json' }
import { MarshlightError } from '../shared/errors.ts'
import { readIfThere } from '../shared/files.ts'
import { readKeptSite } from './kept-site.ts'

export const agentVersion: string = pkg.version
export const defaultStateDir = '/var/lib/marshlight-agent'

/** Where a machine's own images belong; without it, where `npm run images` of this checkout puts them. */
const systemArchives = '/usr/share/marshlight/images'
/** A bundle stands one folder deeper than its source. */
const checkoutArchives = ['..', '../..'].map((up) => join(import.meta.dirname, up, '.cache/images'))
const archivesHere = () => [systemArchives, ...checkoutArchives].find((folder) => existsSync(folder)) ?? systemArchives

/** A card's name as Linux allows it, less what would need quoting. */
const card = z.string().regex(/^[\w.:@-]{1,15}$/, 'the name of a network card')

/** `agent.json` in the state folder. Everything has a default; unknown keys are errors. */
export const agentConfig = z.strictObject({
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  docker: z.strictObject({ socket: z.string().min(1).default('/var/run/docker.sock') }).prefault({}),
  images: z
    .strictObject({
      pod: z.string().min(1).default('marshlight/pod:dev'),
      cowrie: z.string().min(1).default('marshlight/cowrie:dev'),
      services: z.string().min(1).default('marshlight/services:dev'),
      web: z.string().min(1).default('marshlight/web:dev'),
    })
    .prefault({}),
  /** Folder with images as `docker save` makes them, loaded where the engine lacks them. */
  imageArchives: z.string().min(1).default(archivesHere),
  /** Cards of the segments to serve; none means all that have an address and are real. */
  nics: z.array(card).max(64).default([]),
  /** The HTTP proxy through which the controller is reached, as http://HOST:PORT. */
  proxy: z
    .string()
    .max(512)
    .regex(/^http:\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/, 'http://HOST:PORT')
    .optional(),
  spool: z.strictObject({ limitMb: z.int().min(8).max(1_048_576).default(512) }).prefault({}),
  health: z.strictObject({ everySeconds: z.number().min(1).max(3600).default(30) }).prefault({}),
  /** How often each decoy tries what it must not be able to do. */
  safety: z.strictObject({ everySeconds: z.int().min(10).max(86_400).default(300) }).prefault({}),
  /** How long a new version has to be as well as the one before, until it is confirmed. */
  updates: z.strictObject({ steadySeconds: z.number().min(0).max(600).default(20) }).prefault({}),
  /** Whether the controller may restart this machine, and how, where systemd does not run it. */
  reboot: z
    .strictObject({ allowed: z.boolean().default(true), command: z.array(z.string().min(1)).min(1).max(16).optional() })
    .prefault({}),
  blocks: z.strictObject({ reconcileEverySeconds: z.int().min(5).max(3600).default(30) }).prefault({}),
  /** What somebody at the box sees; nothing, where it is nobody's business. An image of an appliance turns it on. */
  console: z
    .strictObject({
      /** A text console, as /dev/tty1. */
      screen: z.string().min(1).max(100).optional(),
      /** The light of a Raspberry Pi. */
      leds: z.boolean().default(false),
      page: z
        .strictObject({
          /** So long after the box was switched on its status page is there; 0: never. */
          minutes: z.int().min(0).max(1440).default(0),
          port: z.int().min(1).max(65_535).default(80),
        })
        .prefault({}),
    })
    .prefault({}),
})
export type AgentConfig = z.infer<typeof agentConfig>

export const configPath = (stateDir: string) => join(stateDir, 'agent.json')

/** What an image, or whoever runs many boxes, sets for all of them. */
const systemConfig = '/etc/marshlight/agent.json'

/**
 * The configuration: what the system sets, over it what the site's file said, over it `agent.json` of `stateDir`, else
 * the defaults. Throws CONFIG_INVALID with path and value.
 */
export async function loadConfig(stateDir: string, system = systemConfig): Promise<AgentConfig> {
  const site = await readKeptSite(stateDir)
  const minutes = site?.statusPageMinutes
  const ofSite = { proxy: site?.proxy, ...(minutes !== undefined && { console: { page: { minutes } } }) }
  const file = configPath(stateDir)
  const base = over(await readJson(system), ofSite)
  check(base, system)
  return check(over(base, await readJson(file)), file)
}

/** `upper` over `lower`, setting by setting. */
function over(lower: unknown, upper: unknown): unknown {
  if (upper === undefined) return lower
  if (!isObject(lower) || !isObject(upper)) return upper
  const keys = new Set([...Object.keys(lower), ...Object.keys(upper)])
  return Object.fromEntries([...keys].map((key) => [key, over(lower[key], upper[key])]))
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Undefined where there is no such file. */
async function readJson(file: string): Promise<unknown> {
  const text = await readIfThere(file)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    const why = error instanceof Error ? error.message : 'not JSON'
    throw new MarshlightError('CONFIG_INVALID', { file, path: 'the file', value: 'not JSON', why }, { cause: error })
  }
}

function check(json: unknown, file: string): AgentConfig {
  const parsed = agentConfig.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = issue?.path ?? []
  throw new MarshlightError('CONFIG_INVALID', {
    file,
    path: path.length > 0 ? path.join('.') : 'the file',
    value: JSON.stringify(at(json, path))?.slice(0, 200) ?? 'missing',
    why: issue?.message ?? 'invalid',
  })
}

/**
 * By what the controller tells that the configuration of a box was changed: of what stands in the file, in whatever order,
 * not of defaults, which an update may bring.
 */
export async function configHash(stateDir: string): Promise<string> {
  const text = (await readIfThere(configPath(stateDir))) ?? '{}'
  return createHash('sha256')
    .update(JSON.stringify(sorted(JSON.parse(text))))
    .digest('hex')
}

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  )
}

/** The state folder that a command means: its option, the environment, the default. */
export const stateDirOf = (option: string | undefined, env: NodeJS.ProcessEnv): string =>
  option ?? env.MARSHLIGHT_AGENT_STATE ?? defaultStateDir

const at = (json: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], json)

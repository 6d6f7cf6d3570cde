import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { MarshlightError } from '../shared/errors.ts'
import { port } from '../shared/schemas/common.ts'
import { unreadable } from '../shared/system-errors.ts'
import { decoysConfig, mimicryConfig, neverBlockConfig, observeConfig, scanConfig } from './config/documents.ts'
import { adaptationConfig, alertsConfig, driftConfig, responseConfig, riskConfig } from './config/judgement.ts'

const listen = (defaultPort: number) =>
  z.strictObject({ host: z.string().default('127.0.0.1'), port: port.default(defaultPort) })

/** `config.json` in the controller's data folder. Everything has a default; unknown keys are errors. */
export const controllerConfig = z.strictObject({
  /** Name or address under which agents reach this controller; it goes into the certificate and into tokens. */
  publicHost: z.string().min(1).default('127.0.0.1'),
  mqtt: listen(8883)
    .extend({
      /**
       * When many agents come at once: so many are let in at a time, from the handshake to the end of their hello (as
       * many as this machine bears, where no number is given); so many wait for that, and for so long; the others are told
       * to come later. Agents wait for 30 s.
       */
      admission: z
        .strictObject({
          atOnce: z.int().min(1).max(100_000).optional(),
          waiting: z.int().min(1).max(100_000).default(4096),
          waitSeconds: z.number().min(1).max(600).default(15),
        })
        .prefault({}),
    })
    .prefault({}),
  enrol: listen(8884).prefault({}),
  /** manual: a box with a good claim waits for `marshlight agents approve`. */
  enrolment: z
    .strictObject({
      approval: z.enum(['auto', 'manual']).default('auto'),
      /** How long after its certificate's end a box that was switched off may still come back by it; 0: never. */
      lateDays: z.number().min(0).max(365).default(30),
    })
    .prefault({}),
  /** Remote API over TLS; off unless a port is given. The local socket is always there. */
  api: z.strictObject({ host: z.string().default('127.0.0.1'), port: port.optional() }).prefault({}),
  /** What boxes may fetch of releases at the same time, and how fast all of them together. */
  updates: z
    .strictObject({
      downloads: z.int().min(1).max(1000).default(16),
      bytesPerSecond: z.int().min(16_384).optional(),
    })
    .prefault({}),
  retention: z
    .strictObject({
      /** What decoys sent, sessions, scans, audits, drift that was set, and what became of decoys. */
      recordsDays: z.number().min(1).default(90),
      /** Alerts and decisions that are over, changes of hosts, what was done to decoys. */
      historyDays: z.number().min(1).default(365),
      /** At which agents a block that is over was in force: a row for each of them. */
      enforcementDays: z.number().min(1).default(14),
      healthDays: z.number().min(0.1).default(7),
      deadLettersDays: z.number().min(1).default(30),
    })
    .prefault({}),
  scan: scanConfig,
  decoys: decoysConfig,
  personas: z
    .strictObject({
      /** manual: what is new of a persona waits, and no decoy shows it before `marshlight personas approve`. */
      approval: z.enum(['auto', 'manual']).default('auto'),
      /** Folder of the administrator's templates, and a file of weights of threats; in the data folder unless absolute. */
      templates: z.string().min(1).default('templates'),
      threats: z.string().min(1).optional(),
      /** Of the place; the country that a segment's domain names comes first. */
      locale: z
        .string()
        .regex(/^[a-z]{2}_[A-Z]{2}(\.UTF-8)?$/, 'as en_US.UTF-8')
        .default('en_US.UTF-8'),
      timezone: z
        .string()
        .refine((name) => Intl.supportedValuesOf('timeZone').includes(name) || name === 'Etc/UTC' || name === 'UTC', {
          error: 'a time zone, as Europe/Berlin',
        })
        .default('Etc/UTC'),
    })
    .prefault({}),
  risk: riskConfig,
  drift: driftConfig,
  response: responseConfig,
  observe: observeConfig,
  mimicry: mimicryConfig,
  adaptation: adaptationConfig,
  neverBlock: neverBlockConfig,
  alerts: alertsConfig,
})

export type ControllerConfig = z.infer<typeof controllerConfig>

/** Reads and checks `config.json` in `dataDir`. Throws CONFIG_MISSING or CONFIG_INVALID, naming the key and its value. */
export function readConfig(dataDir: string): ControllerConfig {
  const file = join(dataDir, 'config.json')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw unreadable(error, file, 'marshlight init')
  }
  return parseConfig(text, file)
}

export function parseConfig(text: string, file: string): ControllerConfig {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new MarshlightError('CONFIG_INVALID', { file, path: 'the file', value: 'not JSON', why: String(error) })
  }
  const parsed = controllerConfig.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = issue?.path ?? []
  const offending = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value)
  throw new MarshlightError('CONFIG_INVALID', {
    file,
    path: path.join('.') || 'the file',
    value: JSON.stringify(offending)?.slice(0, 200) ?? 'missing',
    why: issue?.message ?? '',
  })
}

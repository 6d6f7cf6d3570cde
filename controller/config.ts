import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { MarshlightError } from '../shared/errors.ts'
import { cidr4, ipv4, port } from '../shared/schemas/common.ts'
import { decoyLimits, egressRule } from '../shared/schemas/desired-state.ts'
import { intensity } from '../shared/schemas/drift.ts'
import { mimicryLevel, mimicryPlan, mimicryTarget } from '../shared/schemas/mimicry.ts'
import { observationPolicy } from '../shared/schemas/observation.ts'
import { unreadable } from '../shared/system-errors.ts'

const listen = (defaultPort: number) =>
  z.strictObject({ host: z.string().default('127.0.0.1'), port: port.default(defaultPort) })

const { ringMb, ringHours, windowSeconds, mirrorPorts, probeEverySeconds } = observationPolicy.shape
const { instantiations, parameterVariation, driftThreshold, mostAnHour, mostBytesAnHour } = mimicryPlan.shape
const { names } = mimicryTarget.shape

/** `config.json` in the controller's data folder. Everything has a default; unknown keys are errors. */
export const controllerConfig = z.strictObject({
  /** Name or address under which agents reach this controller; it goes into the certificate and into tokens. */
  publicHost: z.string().min(1).default('127.0.0.1'),
  mqtt: listen(8883).prefault({}),
  enrol: listen(8884).prefault({}),
  /** Remote API over TLS; off unless a port is given. The local socket is always there. */
  api: z.strictObject({ host: z.string().default('127.0.0.1'), port: port.optional() }).prefault({}),
  retention: z
    .strictObject({
      recordsDays: z.number().min(1).default(90),
      healthDays: z.number().min(0.1).default(7),
      deadLettersDays: z.number().min(1).default(30),
    })
    .prefault({}),
  scan: z
    .strictObject({
      enabled: z.boolean().default(true),
      exclude: z.array(cidr4).default([]),
      maxRate: z.int().min(10).max(10000).default(300),
      quickEverySeconds: z.int().min(30).default(300),
      detailEverySeconds: z.int().min(60).default(21600),
      fullPictureEverySeconds: z.int().min(60).default(86400),
      maxHosts: z.int().min(1).max(65536).default(4096),
    })
    .prefault({}),
  decoys: z
    .strictObject({
      /** Decoys to keep in each segment with an appliance, and the most that responses may bring it to. */
      perSegment: z.int().min(0).max(250).default(3),
      maxPerSegment: z.int().min(0).max(250).default(8),
      /** How long a segment of which only the quick pass is done waits for details before it gets its first decoy. */
      waitForDetailSeconds: z.number().min(0).max(86400).default(90),
      /** Free addresses are taken only from these, where given. */
      ranges: z.array(cidr4).default([]),
      exclude: z.array(cidr4).default([]),
      egress: z.array(egressRule).default([]),
      limits: decoyLimits.default({ memoryMb: 192, pids: 64, cpus: 0.5, connections: 200, connectionsPerSource: 50 }),
      /** Audits of decoys from a neighbour's place, and test touches. */
      audit: z
        .strictObject({
          /** false: only what people ask for. */
          enabled: z.boolean().default(true),
          /** A fresh persona that scores less is taken back; 0 takes none back. */
          limit: z.number().min(0).max(100).default(50),
          /** How long a decoy answers before it is looked at. */
          settleSeconds: z.number().min(0).max(86400).default(60),
          /** Each a quarter earlier or later, at random; 0 for never. */
          everyHours: z.number().min(0).max(8760).default(24),
          touchEveryHours: z.number().min(0).max(8760).default(6),
          /** Appliances that look at the same time. */
          atOnce: z.int().min(1).max(256).default(4),
        })
        .prefault({}),
      /** Whether decoys have services besides SSH and telnet; without, families that have neither are not chosen. */
      services: z.boolean().default(true),
      /** A decoy is replaced by another at a random time within these bounds; 0 for never. */
      rotation: z
        .strictObject({ minHours: z.number().min(0).default(0), maxHours: z.number().min(0).default(0) })
        .prefault({}),
    })
    .prefault({}),
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
  risk: z
    .strictObject({
      halfLifeHours: z.number().min(0.01).default(24),
      thresholds: z
        .strictObject({
          alert: z.number().min(0).max(100).default(30),
          deploy: z.number().min(0).max(100).default(50),
          reconfigure: z.number().min(0).max(100).default(60),
          block: z.number().min(0).max(100).default(80),
        })
        .prefault({}),
      blockMinutes: z.number().min(1).default(60),
      /** false: decisions to block are proposed and wait for an administrator. */
      autoBlock: z.boolean().default(true),
    })
    .prefault({}),
  /** Looking for behaviour that nobody asked for. */
  drift: z
    .strictObject({
      detect: z.boolean().default(true),
      /** A score from here on is an alert, and interference counts as risk. 20: a median that left a fifth of all answers behind. */
      alertScore: z.number().min(1).max(100).default(20),
      everySeconds: z.number().min(10).max(86400).default(300),
      /** What is looked at in a round: windows of so many minutes. */
      lookbackMinutes: z.number().min(0.5).max(1440).default(60),
      scoresDays: z.number().min(1).max(3650).default(30),
    })
    .prefault({}),
  response: z
    .strictObject({
      /** Blocks that risk may make in an hour, fleet-wide; beyond it they wait for an administrator. */
      maxBlocksPerHour: z.int().min(0).default(60),
      /** Risk adds no second decoy to a segment, and does not change the same decoy again, within this time. */
      cooldownMinutes: z.number().min(0).default(10),
    })
    .prefault({}),
  /** What agents look at. They tell features of windows, never payload. */
  observe: z
    .strictObject({
      /** Of decoys alone: whoever speaks to one has no business there. */
      capture: z.boolean().default(true),
      ringMb: ringMb.default(32),
      ringHours: ringHours.default(24),
      windowSeconds: windowSeconds.default(60),
      mirrorPorts: mirrorPorts.default([]),
      probeEverySeconds: probeEverySeconds.default(900),
      /** Networks whose own traffic and services nobody looks at. */
      except: z.array(cidr4).default([]),
    })
    .prefault({}),
  /** Traffic that decoys make by themselves. */
  mimicry: z
    .strictObject({
      /** Off unless somebody chose it: it lets decoys open connections outward, to what stands below and to no other place. */
      level: z.enum(['off', ...mimicryLevel.options]).default('off'),
      instantiations: instantiations.default(2),
      parameterVariation: parameterVariation.default(0.1),
      driftThreshold: driftThreshold.default(30),
      mostAnHour: mostAnHour.default(120),
      mostBytesAnHour: mostBytesAnHour.default(50_000_000),
      /** Who is asked for names: `names`, or else those of `updates`. */
      resolvers: z
        .array(z.strictObject({ ip: ipv4, port: port.default(53), names }))
        .max(8)
        .default([]),
      /** Web servers that updates are fetched from. */
      updates: z
        .array(z.strictObject({ ip: ipv4, port: port.default(80), names }))
        .max(16)
        .default([]),
      /** Who is asked for the time (NTP). */
      clocks: z
        .array(z.strictObject({ ip: ipv4, port: port.default(123) }))
        .max(4)
        .default([]),
      /** Whether decoys of a segment talk to each other. */
      peers: z.boolean().default(true),
    })
    .prefault({}),
  /** What attackers meet is chosen by what keeps them, within these bounds; what an administrator sets stands before it. */
  adaptation: z
    .strictObject({
      enabled: z.boolean().default(true),
      /** Types that may be chosen, and the strongest intensity. */
      types: z.array(z.enum(['latency', 'alteration', 'error'])).default(['latency', 'alteration', 'error']),
      strongest: intensity.default('high'),
      /** Part of the sources that meet no drift, so that its effect is measured. */
      controlShare: z.number().min(0.02).max(1).default(0.1),
      /** How long a source meets what was chosen for it. */
      keepHours: z.number().min(0.01).max(720).default(24),
      /** Without a word for so long, an attacker has gone, and his visit is learned from. */
      idleMinutes: z.number().min(0.05).max(240).default(5),
      changesPerHour: z.int().min(0).max(10_000).default(60),
      viewsPerDecoy: z.int().min(0).max(200).default(100),
      /** Between two changes of one attacker's view, and of one decoy's persona. */
      cooldownMinutes: z.number().min(0).default(10),
      personaCooldownMinutes: z.number().min(0).default(360),
    })
    .prefault({}),
  neverBlock: z.array(z.union([cidr4, ipv4.transform((ip) => `${ip}/32`)])).default([]),
  alerts: z
    .strictObject({
      /** Alerts of one source and kind within this time are one. */
      groupMinutes: z.number().min(0).default(30),
      silentAgentSeconds: z.number().min(1).default(10),
      deadDecoySeconds: z.number().min(1).default(60),
      webhooks: z
        .array(
          z.strictObject({
            name: z.string().min(1),
            url: z.url(),
            secretFile: z.string(),
            minScore: z.number().default(0),
          }),
        )
        .default([]),
    })
    .prefault({}),
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

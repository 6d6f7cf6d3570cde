import { z } from 'zod'
import { cidr4, ipv4, port } from '../../shared/schemas/common.ts'
import { desiredDecoy, mostNeverBlock, scanPolicy } from '../../shared/schemas/desired-state.ts'
import { mimicryLevel, mimicryPlan, mimicryTarget } from '../../shared/schemas/mimicry.ts'
import { observationPolicy } from '../../shared/schemas/observation.ts'

/**
 * What goes into signed documents. Bounds are those of the documents, taken from there: a value that agents would refuse
 * must not pass here.
 */
const policy = scanPolicy.shape
const { ringMb, ringHours, windowSeconds, mirrorPorts, probeEverySeconds } = observationPolicy.shape
const { instantiations, parameterVariation, driftThreshold, mostAnHour, mostBytesAnHour } = mimicryPlan.shape
const { names } = mimicryTarget.shape

/** What the list in the documents keeps free for the controller's own addresses and the surroundings of the appliance. */
const surroundings = 256

/** Networks that nobody may block; an address stands for itself. */
export const neverBlockConfig = z
  .array(z.union([cidr4, ipv4.transform((ip) => `${ip}/32`)]))
  .max(mostNeverBlock - surroundings)
  .default([])

export const scanConfig = z
  .strictObject({
    enabled: z.boolean().default(true),
    /** Parts of segments: of a segment that holds one of these, nothing else is scanned; any other is scanned whole. */
    ranges: policy.ranges.default([]),
    exclude: policy.exclude.default([]),
    maxRate: policy.maxRate.default(300),
    quickEverySeconds: policy.quickEverySeconds.default(300),
    detailEverySeconds: policy.detailEverySeconds.default(21600),
    fullPictureEverySeconds: policy.fullPictureEverySeconds.default(86400),
    maxHosts: policy.maxHosts.default(4096),
  })
  .prefault({})

export const decoysConfig = z
  .strictObject({
    /** Decoys to keep in each segment with an appliance, and the most that responses may bring it to. */
    perSegment: z.int().min(0).max(250).default(3),
    maxPerSegment: z.int().min(0).max(250).default(8),
    /** How long a segment of which only the quick pass is done waits for details before it gets its first decoy. */
    waitForDetailSeconds: z.number().min(0).max(86400).default(90),
    /** Free addresses are taken only from these, where given. */
    ranges: z.array(cidr4).default([]),
    exclude: z.array(cidr4).default([]),
    egress: desiredDecoy.shape.egress.default([]),
    limits: desiredDecoy.shape.limits.default({
      memoryMb: 192,
      pids: 64,
      cpus: 0.5,
      connections: 200,
      connectionsPerSource: 50,
    }),
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
  .prefault({})

/** What agents look at. They tell features of windows, never payload. */
export const observeConfig = z
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
  .prefault({})

/** Traffic that decoys make by themselves. */
export const mimicryConfig = z
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
  .prefault({})

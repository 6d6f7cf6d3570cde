import { z } from 'zod'
import { hostname, id, ipv4, port, utc } from './common.ts'

/** Traffic of a segment's shape that decoys make themselves: what it is drawn from, how much of it, and where it goes. */

/** How much an instance's decoy does of what a host of the segment does: a tenth, four tenths, as much. */
export const mimicryLevel = z.enum(['low', 'medium', 'high'])

/** Values at even steps of probability, ascending. */
export const quantiles = z.array(z.number().min(0)).max(64)

const shape = z.object({ request: quantiles, response: quantiles, pauseMs: quantiles })

/** The shape of one kind of conversation. Rates are conversations an hour of all hosts, by hour of the day in UTC; sizes are bytes. */
export const trafficPattern = z.object({
  kind: z.string().max(32),
  hourly: z.array(z.number().min(0)).length(24),
  /** The same by hour of the week, from Monday; without it every day is alike. */
  weekly: z.array(z.number().min(0)).length(168).optional(),
  /** How many hosts have them; without it one. */
  hosts: z.int().min(1).optional(),
  /** Part of a host's conversations that follow another within two minutes, and after how many milliseconds they do. */
  burst: z.number().min(0).max(1),
  gapMs: quantiles,
  exchanges: quantiles,
  /** Of the first exchanges, by their place: greetings and handshakes. The classes are of the others then. */
  opening: z.array(shape).max(4).optional(),
  classes: z.array(shape.extend({ share: z.number().min(0).max(1) })).max(8),
  /** Conversations that it was read from. */
  n: z.int().min(0),
})

/** A place that a decoy talks to. `peer`: another decoy, which answers in the shape that is asked for. */
export const mimicryTarget = z.object({
  role: z.enum(['resolver', 'updates', 'clock', 'peer', 'service']),
  ip: ipv4,
  port,
  proto: z.enum(['tcp', 'udp']),
  /** Names to ask a resolver for, and the host to ask a web server for. */
  names: z.array(z.string().max(253)).max(32).default([]),
})

/** What one decoy does (part of a plan). The pod lets the one process that does it out to these
 * targets, and no other; they are not part of `egress`. */
export const mimicryPlan = z.object({
  seed: z.string().min(1).max(64),
  mimicryLevel,
  /** Instances on this decoy, each with parameters of its own. */
  instantiations: z.int().min(1).max(8),
  /** 0.1: rates, sizes and pauses of an instance are up to a tenth from the pattern's. */
  parameterVariation: z.number().min(0).max(0.5),
  /** Drift score, 0 to 100, above which an instance draws new parameters and says so. */
  driftThreshold: z.number().min(0).max(100),
  /** Conversations an hour that no instance exceeds, and bytes an hour for the decoy. */
  mostAnHour: z.int().min(1).max(3600),
  mostBytesAnHour: z.int().min(1).max(1_000_000_000),
  targets: z.array(mimicryTarget).max(64),
  /** Where peers of this decoy reach it: the port that answers them alone; undefined: it answers none. */
  answerOn: z.object({ port, peers: z.array(ipv4).max(64) }).optional(),
  /** From the segment's sample as the controller has it; empty: from what the agent saw itself. */
  patterns: z.array(trafficPattern).max(32),
})

/** What an instance did in a window, and how far that is from what was asked of it (stream `features`). */
export const mimicryReport = z.object({
  type: z.literal('mimicry'),
  at: utc,
  decoy: id,
  instance: z.int().min(0),
  seconds: z.number().positive(),
  planned: z.int().min(0),
  done: z.int().min(0),
  failed: z.int().min(0),
  bytes: z.int().min(0),
  /** Not made since a bound said so. */
  bounded: z.int().min(0),
  score: z.number().min(0).max(100).optional(),
  /** What the score is of: that distribution of conversations of that kind, and how often chance alone shows so much. */
  moved: z
    .object({
      kind: z.string().max(32),
      of: z.enum(['request', 'response', 'pause', 'exchanges']),
      n: z.int().min(0),
      p: z.number().min(0).max(1),
    })
    .optional(),
  /** The instance took new parameters. */
  redrawn: z.boolean().default(false),
})

/** The shape of a segment's traffic as an agent saw it (stream `features`). */
export const patternsSeen = z.object({
  type: z.literal('patterns'),
  at: utc,
  from: utc,
  cidr: z.cidrv4(),
  hostname: hostname.optional(),
  patterns: z.array(trafficPattern).max(32),
})

export type MimicryLevel = z.infer<typeof mimicryLevel>
export type TrafficPattern = z.infer<typeof trafficPattern>
export type MimicryTarget = z.infer<typeof mimicryTarget>
export type MimicryPlan = z.infer<typeof mimicryPlan>
export type MimicryReport = z.infer<typeof mimicryReport>
export type PatternsSeen = z.infer<typeof patternsSeen>

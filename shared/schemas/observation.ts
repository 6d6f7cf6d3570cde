import { z } from 'zod'
import { profile } from './baseline.ts'
import { cidr4, id, ipv4, port, utc } from './common.ts'

/** What an agent looks at, and what it tells of it: features of windows, never payload. Addresses of others are pseudonyms. */

/** What to look at (part of a plan). */
export const observationPolicy = z.object({
  /** Capture of decoys' traffic; without it there are no windows of decoys either. */
  capture: z.boolean(),
  /** The ring of capture files of each decoy: at most so many megabytes, and nothing older than so many hours. */
  ringMb: z.int().min(1).max(4096),
  ringHours: z.int().min(1).max(720),
  windowSeconds: z.int().min(5).max(3600),
  /** Segments whose real traffic (broadcast, the agent's own card, a mirror port) and services are looked at; no others. */
  segments: z.array(cidr4).max(64),
  /** Segments that were switched off, of which nothing that was seen before is to stay either. */
  forget: z.array(cidr4).max(64).optional(),
  /** Cards that a switch mirrors traffic to. */
  mirrorPorts: z.array(z.string().regex(/^[A-Za-z0-9_.-]{1,15}$/)).max(4),
  /** Between two timing probes of a real service that the scan found; 0 for none. */
  probeEverySeconds: z.int().min(0).max(604800),
})

/**
 * Whose behaviour a window is: of one port of a decoy (`port` absent: what the decoy does by itself), of a real service of
 * the segment as a probe found it, of the segment's own hosts, or of what mimicry makes.
 */
export const windowSubject = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('decoy'), decoy: id, port: port.optional() }),
  z.object({ kind: z.literal('service'), cidr: cidr4, ip: ipv4, port }),
  z.object({ kind: z.literal('segment'), cidr: cidr4 }),
  z.object({ kind: z.literal('mimicry'), decoy: id, instance: z.int().min(0) }),
])

/** Features of `seconds` up to `at` (stream `features`). */
export const featureWindow = z.object({
  type: z.literal('window'),
  at: utc,
  seconds: z.number().positive(),
  subject: windowSubject,
  /** `ssh`, `http` ..., as the scan or the persona names it; `self` for what a decoy does by itself, `mimicry` for that. */
  service: z.string().max(32),
  profile,
  /** Mark of the drift that was met over the whole window (`shared/drift-mark.ts`); undefined where it changed in between. */
  drift: z.string().max(64).optional(),
  /**
   * Of those sources alone whose view has that drift, who are in no other feature of the time; how often somebody came and
   * asked is in the window beside it.
   */
  apart: z.literal(true).optional(),
  /** Packets that the kernel told it dropped before they were read: of the whole decoy, in each window of that time. */
  missed: z.int().min(0),
  /** Packets of our own audits and test touches of this subject, which are in none of its features. */
  ownLooks: z.int().min(1).optional(),
})

export type ObservationPolicy = z.infer<typeof observationPolicy>
export type WindowSubject = z.infer<typeof windowSubject>
export type FeatureWindow = z.infer<typeof featureWindow>

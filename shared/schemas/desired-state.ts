import { z } from 'zod'
import { cidr4, hostname, id, ipv4, mac, port, untrusted, utc } from './common.ts'
import { decoyDrift } from './drift.ts'
import { mimicryPlan } from './mimicry.ts'
import { observationPolicy } from './observation.ts'
import { persona } from './persona.ts'
import { desiredUpdate } from './update.ts'

/** A place a decoy may open connections to; empty means none. */
export const egressRule = z.object({ cidr: cidr4, proto: z.enum(['tcp', 'udp']), port })

export const decoyLimits = z.object({
  memoryMb: z.int().min(32).max(4096),
  pids: z.int().min(8).max(1024),
  /** CPUs, as a fraction. */
  cpus: z.number().min(0.05).max(8),
  /** Concurrent connections, of one source and in all. */
  connections: z.int().min(1).max(10000),
  connectionsPerSource: z.int().min(1).max(10000),
})

/**
 * What runs in the network of a decoy's pod: `cowrie` serves SSH and telnet, `web` sites by a real nginx or Apache,
 * `services` all else.
 */
export const serviceContainer = z.enum(['cowrie', 'services', 'web'])

/** One decoy as it shall be. */
export const desiredDecoy = z.object({
  id,
  /** The segment it lives in: the agent finds its card by this network. */
  cidr: cidr4,
  ip: ipv4,
  mac,
  hostname,
  persona: id,
  personaVersion: z.int().min(1),
  services: z.array(serviceContainer).min(1).max(3),
  egress: z.array(egressRule).max(64),
  limits: decoyLimits,
  /** The centre knows that it was seen to be unsafe: nothing of it runs, even where the agent forgot why. */
  condemned: z.boolean().optional(),
  /** How often an administrator let it come up again; one more than when it was condemned lets it. */
  releases: z.int().min(0).optional(),
  /** Deviations of its behaviour; absent: none. */
  drift: decoyDrift.optional(),
  /** Traffic that it makes by itself; absent: none. */
  mimicry: mimicryPlan.optional(),
})

export const scanPolicy = z.object({
  enabled: z.boolean(),
  /**
   * Parts of segments, fleet-wide: of its own segments an agent scans those parts that are named here, and a segment of
   * which none is named as a whole. Nothing outside its own segments, whatever stands here.
   */
  ranges: z.array(cidr4).max(256),
  exclude: z.array(cidr4).max(256),
  /** Addresses and MACs of all decoys of the fleet in these segments: not hosts. */
  decoyMacs: z.array(mac).max(4096),
  /** Packets a second, at most. */
  maxRate: z.int().min(10).max(10000),
  quickEverySeconds: z.int().min(30).max(604800),
  detailEverySeconds: z.int().min(60).max(2592000),
  fullPictureEverySeconds: z.int().min(60).max(2592000),
  /** Larger segments are refused. */
  maxHosts: z.int().min(1).max(65536),
})

const signedHead = {
  /** The agent it is for; another refuses it. */
  agent: id,
  /** Rises with every change, for each agent and kind. An agent refuses one that does not rise. */
  revision: z.int().min(1),
  issuedAt: utc,
  /** Not accepted after this; what was accepted in time stays in force. */
  expiresAt: utc,
}

/** Most that a block list, and the list of networks never blocked, may hold. */
export const mostBlocks = 65_536
export const mostNeverBlock = 1024

/** Everything but blocks that an agent shall bring about. */
export const plan = z.object({
  kind: z.literal('plan'),
  ...signedHead,
  decoys: z.array(desiredDecoy).max(512),
  personas: z.array(persona).max(512),
  scan: scanPolicy,
  /** Absent: nothing is captured, probed or told. */
  observe: observationPolicy.optional(),
  /** The release that the box shall run. Absent: it stays with what it runs. */
  update: desiredUpdate.optional(),
  /** Networks nobody may block or attack from here: controller, gateways, DNS, administrators. */
  neverBlock: z.array(cidr4).max(mostNeverBlock),
})

export const blockEntry = z.object({ id, cidr: cidr4, until: utc })

/** The whole block list of an agent; small and separate, since it changes often and has to be fast. */
export const blockList = z.object({
  kind: z.literal('blocks'),
  ...signedHead,
  entries: z.array(blockEntry).max(mostBlocks),
  neverBlock: z.array(cidr4).max(mostNeverBlock),
})

/**
 * Where an audit or a test touch looks from: an address of the segment that nobody has, drawn for this once, with its
 * MAC, and the ports that its connections leave from. What comes from there, in its time, is known for our own by it.
 */
export const vantage = z.object({ ip: ipv4, mac, portFrom: port, portTo: port })

/** A real host of the segment to compare a decoy with, as the inventory has it. */
export const auditNeighbour = z.object({
  ip: ipv4,
  mac: mac.optional(),
  vendor: untrusted(128).optional(),
  names: z.array(untrusted(253)).max(8),
  /** Open TCP ports. */
  ports: z.array(port).max(64),
  /** What a scan of the operating system said first. */
  system: untrusted(128).optional(),
  systemFamily: untrusted(64).optional(),
})

/** A one-shot request; answered once, never kept. */
export const request = z.object({
  kind: z.literal('request'),
  agent: id,
  id,
  issuedAt: utc,
  expiresAt: utc,
  op: z.discriminatedUnion('name', [
    z.object({ name: z.literal('ping') }),
    z.object({ name: z.literal('scan'), cidr: cidr4.optional(), phase: z.enum(['quick', 'detail', 'all']) }),
    /** Of every segment, or only of the one around `cidr`. */
    z.object({ name: z.literal('scan.cancel'), cidr: cidr4.optional() }),
    z.object({ name: z.literal('full-picture') }),
    /** Look at a decoy from a neighbour's place; `audit` is the id of the report (stream `state`). */
    z.object({
      name: z.literal('audit'),
      audit: id,
      decoy: id,
      from: vantage,
      beside: z.array(auditNeighbour).max(8),
    }),
    /** The ring of a decoy: what stands in it between two times, as one capture file of at most `mostMb` (stream `files`). */
    z.object({
      name: z.literal('capture'),
      decoy: id,
      from: utc.optional(),
      to: utc.optional(),
      mostMb: z.int().min(1).max(256),
    }),
    /** One real connection and log-in attempt, by a name that is used this once. */
    z.object({
      name: z.literal('touch'),
      decoy: id,
      from: vantage,
      username: z.string().regex(/^[a-z][a-z0-9]{7,31}$/),
      password: z.string().regex(/^[A-Za-z0-9]{8,64}$/),
    }),
    /** The last lines of its own log, without secrets. */
    z.object({ name: z.literal('logs'), lines: z.int().min(1).max(2000), since: utc.optional() }),
    /** Answered before it goes down; presence tells when it is back. */
    z.object({ name: z.literal('reboot') }),
    /** What `marshlight-agent doctor` finds there. */
    z.object({ name: z.literal('doctor') }),
    /** What somebody who helps from afar needs, without secrets, as one archive (stream `files`). */
    z.object({ name: z.literal('support-bundle') }),
  ]),
})

export const reply = z.object({
  id,
  at: utc,
  ok: z.boolean(),
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.object({ code: z.string().max(64), message: untrusted(1024) }).optional(),
})

export type EgressRule = z.infer<typeof egressRule>
export type ServiceContainer = z.infer<typeof serviceContainer>
export type DecoyLimits = z.infer<typeof decoyLimits>
export type DesiredDecoy = z.infer<typeof desiredDecoy>
export type ScanPolicy = z.infer<typeof scanPolicy>
export type Plan = z.infer<typeof plan>
export type BlockEntry = z.infer<typeof blockEntry>
export type BlockList = z.infer<typeof blockList>
export type Vantage = z.infer<typeof vantage>
export type AuditNeighbour = z.infer<typeof auditNeighbour>
export type Request = z.infer<typeof request>
export type Reply = z.infer<typeof reply>

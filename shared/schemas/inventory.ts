import { z } from 'zod'
import { cidr4, id, ipv4, mac, port, untrusted, utc } from './common.ts'

/** The agent's own place in a segment: one network card with its address (stream `inventory`). */
export const segmentSeen = z.object({
  type: z.literal('segment'),
  at: utc,
  cidr: cidr4,
  nic: z.string().max(32),
  address: ipv4,
  mac,
  gateway: ipv4.optional(),
  /** Resolvers the appliance uses; never blocked. */
  dns: z.array(ipv4).max(8),
})

export const hostPort = z.object({
  port,
  proto: z.enum(['tcp', 'udp']),
  service: untrusted(64).optional(),
  product: untrusted(128).optional(),
  version: untrusted(64).optional(),
  extra: untrusted(256).optional(),
  cpe: z.array(untrusted(128)).max(8).optional(),
  /** Output of safe nmap scripts (banner, ssh2-enum-algos ...), by script id. */
  scripts: z.record(z.string().max(64), untrusted(4096)).optional(),
})

export const osGuess = z.object({
  name: untrusted(128),
  family: untrusted(64).optional(),
  /** nmap's accuracy, percent. */
  accuracy: z.int().min(0).max(100),
  cpe: untrusted(128).optional(),
})

/** A host as last seen; sent when anything but `at` changed, and all again with each full picture. */
export const hostSeen = z.object({
  type: z.literal('host'),
  at: utc,
  cidr: cidr4,
  ip: ipv4,
  mac: mac.optional(),
  vendor: untrusted(128).optional(),
  names: z.array(untrusted(253)).max(8),
  /** `quick`: it answered; `detail`: ports, versions and system were looked at. */
  depth: z.enum(['quick', 'detail']),
  ports: z.array(hostPort).max(1024),
  os: z.array(osGuess).max(8),
})

export const hostGone = z.object({ type: z.literal('gone'), at: utc, cidr: cidr4, ip: ipv4, mac: mac.optional() })

/** Closes a full picture: exactly these addresses answered; whatever else the centre holds of the segment is gone. */
export const fullPicture = z.object({ type: z.literal('full'), at: utc, cidr: cidr4, ips: z.array(ipv4).max(65536) })

export const scanPhase = z.enum(['quick', 'detail'])
export const scanReport = z.object({
  type: z.literal('scan'),
  at: utc,
  id,
  request: id.optional(),
  cidr: cidr4,
  phase: scanPhase,
  outcome: z.enum(['started', 'done', 'failed', 'cancelled', 'refused']),
  startedAt: utc,
  finishedAt: utc.optional(),
  targets: z.int().min(0),
  hostsUp: z.int().min(0),
  reason: untrusted(512).optional(),
})

export type SegmentSeen = z.infer<typeof segmentSeen>
export type HostPort = z.infer<typeof hostPort>
export type OsGuess = z.infer<typeof osGuess>
export type HostSeen = z.infer<typeof hostSeen>
export type HostGone = z.infer<typeof hostGone>
export type FullPicture = z.infer<typeof fullPicture>
export type ScanReport = z.infer<typeof scanReport>

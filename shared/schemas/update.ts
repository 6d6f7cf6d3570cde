import { z } from 'zod'
import { id, sha256, untrusted, utc } from './common.ts'

/**
 * A release is a folder: `manifest.json`, its signature `manifest.json.minisig`, and a file for each part.
 *
 *   release key (offline) signs manifest -> controller keeps and serves the files -> plan names the manifest
 *   agent: signature against the key that came with the box -> fetch -> hash -> install -> trial -> confirmed | rolled-back
 *
 * The controller's own key signs when a box shall take a release, never what is in it: who takes the controller over
 * cannot bring code of his own to the boxes.
 *
 * Files come from `GET /v1/releases/<version>/<file>` of the enrolment server, by the agent's client certificate: Range,
 * ETag (the SHA-256) and If-Range; 503 with Retry-After when too many fetch. On a stick, a bundle is one tar (ustar, plain
 * names): manifest.json, manifest.json.minisig, then the files in the manifest's order.
 */
export const component = z.enum(['agent', 'decoys', 'system'])
export const architecture = z.enum(['amd64', 'arm64'])
export const releaseVersion = z.string().regex(/^[0-9A-Za-z][0-9A-Za-z.+~-]{0,63}$/, 'a version such as 1.4.2')

export const releasePart = z.object({
  component,
  arch: architecture,
  /** Its own version: a box that runs it already leaves the part out. */
  version: releaseVersion,
  /** The file's name in the release's folder. */
  file: z
    .string()
    .regex(/^[0-9A-Za-z][0-9A-Za-z._+~-]{0,99}$/, 'a file name without folders, of at most 100 characters'),
  bytes: z.int().min(1).max(8_589_934_592),
  sha256,
})

export const releaseManifest = z.object({
  kind: z.literal('release'),
  version: releaseVersion,
  /** Rises with every release that is made. A box refuses one below the highest that it confirmed, unless the plan allows it. */
  sequence: z.int().min(1),
  createdAt: utc,
  notes: untrusted(4096),
  parts: z.array(releasePart).min(1).max(16),
})

/** Part of an agent's plan: the release that it shall run. */
export const desiredUpdate = z.object({
  /** Of the rollout. A box tries each once: after it went back, only another rollout makes it try again. */
  rollout: id,
  /** The exact text of `manifest.json`, and of its signature. */
  manifest: z.string().max(65_536),
  signature: z.string().max(1024),
  allowOlder: z.boolean(),
  /** `fetch`: bring the parts, verify them, wait. `install`: take them into use. */
  step: z.enum(['fetch', 'install']),
  /** Most that fetching may take from the line, bytes a second; absent: no cap. */
  bytesPerSecond: z.int().min(1024).optional(),
  /** From the start of the new version to a good report; then the box goes back by itself. Seconds. */
  confirmWithinSeconds: z.int().min(30).max(3600),
})

export const updatePhase = z.enum([
  'fetching',
  'fetched',
  'installing',
  'trial',
  'confirmed',
  'rolled-back',
  'refused',
  'failed',
])

/** What a box runs, by component; a component it does not have is absent. */
export const running = z.object({
  arch: architecture,
  agent: releaseVersion.optional(),
  decoys: releaseVersion.optional(),
  system: releaseVersion.optional(),
  /** The slot the system was started from. */
  slot: z.enum(['A', 'B']).optional(),
})

/** Where an update stands (stream `state`), told at each change of phase and about each tenth of the bytes. */
export const updateState = z.object({
  type: z.literal('update'),
  at: utc,
  rollout: id,
  version: releaseVersion,
  phase: updatePhase,
  /** Bytes fetched, and of how many; of all parts that this box needs. */
  bytes: z.int().min(0).optional(),
  of: z.int().min(0).optional(),
  running,
  /** Of `refused`, `failed` and `rolled-back`. */
  code: z.string().max(64).optional(),
  reason: untrusted(512).optional(),
})

export type Component = z.infer<typeof component>
export type Architecture = z.infer<typeof architecture>
export type ReleasePart = z.infer<typeof releasePart>
export type ReleaseManifest = z.infer<typeof releaseManifest>
export type DesiredUpdate = z.infer<typeof desiredUpdate>
export type UpdatePhase = z.infer<typeof updatePhase>
export type Running = z.infer<typeof running>
export type UpdateState = z.infer<typeof updateState>

import { z } from 'zod'
import { id, ipv4, port, sha256, untrusted, utc } from './common.ts'

/** What happened at a decoy, in words that hold for every service. */
export const eventKind = z.enum([
  'session.open',
  'session.close',
  'client.version',
  'client.kex',
  'client.key',
  'login.failed',
  'login.success',
  'command',
  'command.unknown',
  /** A question to a service that has no log-in, or before one: a page, a name, the time. */
  'request',
  'file.download',
  'file.download.failed',
  'file.upload',
  'tty.closed',
  'forward.request',
  'protocol.error',
  /** Events of this decoy that its sink had to drop: `data.lost` of them, `data.reason`. */
  'events.lost',
  'other',
])

/**
 * One event of one decoy (stream `events`). `at` is the decoy's own time stamp. `session` is the service's own session
 * id. `source` keeps the service's own name of the event (`cowrie.command.input`), `data` its remaining fields, so that
 * nothing the service said is lost.
 */
export const decoyEvent = z.object({
  type: z.literal('event'),
  at: utc,
  decoy: id,
  persona: id,
  personaVersion: z.int().min(1),
  /** Revision of the plan in force when the event was read. */
  revision: z.int().min(0),
  service: z.string().max(32),
  kind: eventKind,
  session: untrusted(64).optional(),
  src: z.object({ ip: ipv4, port: port.optional() }).optional(),
  dst: z.object({ ip: ipv4, port: port.optional() }).optional(),
  username: untrusted(256).optional(),
  password: untrusted(256).optional(),
  command: untrusted(4096).optional(),
  clientVersion: untrusted(256).optional(),
  hassh: untrusted(64).optional(),
  /** Of a log-in: how, `password` or `publickey`. */
  method: untrusted(32).optional(),
  /** Of a key that was offered or let somebody in, as the service writes it. */
  fingerprint: untrusted(128).optional(),
  url: untrusted(2048).optional(),
  sha256: sha256.optional(),
  size: z.number().min(0).optional(),
  durationMs: z.number().min(0).optional(),
  source: untrusted(64),
  data: z.record(z.string().max(64), z.unknown()).optional(),
})

/**
 * A piece of a captured file, a tty log or a support bundle (stream `files`); a blob is whole when all `parts` have come.
 * `decoy`: of a support bundle, which is of the box, the agent's own id.
 */
export const filePart = z.object({
  type: z.literal('file'),
  at: utc,
  decoy: id,
  session: untrusted(64).optional(),
  /** `capture`: a file that an attacker brought; `packets`: a capture file of the decoy's traffic; `support`: a support bundle. */
  kind: z.enum(['tty', 'capture', 'packets', 'support']),
  sha256,
  /** Bytes of the whole blob as sent. */
  size: z.int().min(0),
  /** Bytes the original had where it was cut to the cap. */
  originalSize: z.int().min(0),
  part: z.int().min(0),
  parts: z.int().min(1),
  data: z.base64(),
})

export type DecoyEvent = z.infer<typeof decoyEvent>
export type EventKind = z.infer<typeof eventKind>
export type FilePart = z.infer<typeof filePart>

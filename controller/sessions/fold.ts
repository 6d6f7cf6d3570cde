import { createHash } from 'node:crypto'
import type { DecoyEvent } from '../../shared/schemas/event.ts'

/** What is known of a session from the events that came so far, in whatever order they came. */
export type SessionFacts = {
  service: string
  segment: string | null
  source: string | null
  source_port: number | null
  dst: string | null
  dst_port: number | null
  first_at: string
  last_at: string
  opened_at: string | null
  closed_at: string | null
  duration_ms: number | null
  client_version: string | null
  hassh: string | null
  username: string | null
  /** The audit or test touch of ours that it was part of. */
  audit: string | null
  success: number
  events: number
  tries: number
  commands: number
  downloads: number
  uploads: number
}

export const emptyFacts = (event: Pick<DecoyEvent, 'service' | 'at'>): SessionFacts => ({
  service: event.service,
  segment: null,
  source: null,
  source_port: null,
  dst: null,
  dst_port: null,
  first_at: event.at,
  last_at: event.at,
  opened_at: null,
  closed_at: null,
  duration_ms: null,
  client_version: null,
  hassh: null,
  username: null,
  audit: null,
  success: 0,
  events: 0,
  tries: 0,
  commands: 0,
  downloads: 0,
  uploads: 0,
})

/**
 * `facts` with one more event. Folding any permutation of the same events gives the same facts: sums, least and
 * greatest values only, never "the last to come".
 */
export function withEvent(
  facts: SessionFacts,
  event: DecoyEvent,
  segment?: string,
  ours: { audit?: string | undefined } = {},
): SessionFacts {
  const { kind } = event
  // A forwarding's `dst` is where the attacker wanted to go, not the decoy.
  const dst = kind === 'forward.request' ? undefined : event.dst
  const is = (wanted: string) => (kind === wanted ? 1 : 0)
  const success = is('login.success')
  // The name that opened the session outranks those that were tried in vain; among equals the least stands.
  const names = success > facts.success ? null : facts.username
  const named = success < facts.success ? undefined : event.username
  return {
    service: facts.service === '' ? event.service : (least(facts.service, event.service) ?? event.service),
    segment: least(facts.segment, segment),
    source: least(facts.source, event.src?.ip),
    source_port: lowest(facts.source_port, event.src?.port),
    dst: least(facts.dst, dst?.ip),
    dst_port: lowest(facts.dst_port, dst?.port),
    first_at: least(facts.first_at, event.at) ?? event.at,
    last_at: greatest(facts.last_at, event.at) ?? event.at,
    opened_at: least(facts.opened_at, kind === 'session.open' ? event.at : undefined),
    closed_at: greatest(facts.closed_at, kind === 'session.close' ? event.at : undefined),
    duration_ms: kind === 'session.close' ? (event.durationMs ?? facts.duration_ms) : facts.duration_ms,
    client_version: least(facts.client_version, event.clientVersion),
    hassh: least(facts.hassh, event.hassh),
    username: least(names, named),
    audit: least(facts.audit, ours.audit),
    success: Math.max(facts.success, success),
    events: facts.events + 1,
    tries: facts.tries + is('login.failed') + success,
    commands: facts.commands + is('command') + is('command.unknown'),
    downloads: facts.downloads + is('file.download'),
    uploads: facts.uploads + is('file.upload'),
  }
}

/**
 * Names an event by all that the decoy said of it, so that one which an agent read and sent twice is known again. The
 * plan's revision is left out: it may have changed between the two readings.
 */
export function digestOf(agent: string, event: DecoyEvent): string {
  const { revision: _, ...said } = event
  return createHash('sha256').update(agent).update(JSON.stringify(said, sortedKeys)).digest('base64url')
}

/** The words of an event that a timeline shows. */
export function textOf(event: DecoyEvent): string | null {
  if (event.command !== undefined) return event.command
  if (event.url !== undefined) return event.url
  if (event.kind === 'client.version') return event.clientVersion ?? null
  if (event.kind === 'client.kex') return event.hassh ?? null
  if (event.kind === 'forward.request') return `${event.dst?.ip ?? '?'}:${event.dst?.port ?? '?'}`
  const message = event.data?.message ?? event.data?.filename
  return typeof message === 'string' ? message.slice(0, 1024) : null
}

const sortedKeys = (_: string, value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value

const least = (a: string | null, b: string | undefined): string | null =>
  a === null ? (b ?? null) : b === undefined || a <= b ? a : b
const greatest = (a: string | null, b: string | undefined): string | null =>
  a === null ? (b ?? null) : b === undefined || a >= b ? a : b
const lowest = (a: number | null, b: number | undefined): number | null =>
  a === null ? (b ?? null) : b === undefined ? a : Math.min(a, b)

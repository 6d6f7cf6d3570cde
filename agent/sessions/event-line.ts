import { isIPv4 } from 'node:net'
import type { DecoyEvent, EventKind } from '../../shared/schemas/event.ts'

/** What the reader of the file knows; the line itself never says whose it is, since the decoy wrote it. */
export type EventContext = { decoy: string; persona: string; personaVersion: number; revision: number }

type Line = Record<string, unknown>

/** Fields that have a place of their own in the event; all others go to `data`. */
const placed = new Set([
  ...['eventid', 'timestamp', 'session', 'protocol', 'marshlight', 'message', 'sensor', 'uuid'],
  ...['src_ip', 'src_port', 'dst_ip', 'dst_port', 'username', 'password', 'input', 'version', 'hassh', 'url'],
  ...['shasum', 'size', 'duration_ms', 'fingerprint'],
])

const mostFields = 64
const deepest = 4
const longestText = 2048

/** How one kind of container names what happened. */
export type EventWords = {
  /** The kind of an event of this name; `other` where it has none. */
  kindOf: (source: string) => EventKind
  /** The service of an event that does not name one. */
  service: string
}

/** A line as an event, or why it is none. */
export type ParseEvent = (line: string, context: EventContext) => DecoyEvent | { bad: string }

/** One line of an event file as an event. Never throws: a line that is none is `bad`, with the reason. */
export function parseEventLine(line: string, context: EventContext, words: EventWords): DecoyEvent | { bad: string } {
  const parsed = parseLine(line)
  if ('bad' in parsed) return { bad: String(parsed.bad) }
  const source = text(parsed.eventid, 64)
  const at = moment(parsed.timestamp)
  if (source === undefined) return { bad: 'no eventid' }
  if (at === undefined) return { bad: `timestamp is ${short(parsed.timestamp)}` }
  const event: DecoyEvent = {
    type: 'event',
    at,
    decoy: context.decoy,
    ...personaOf(parsed.marshlight, context),
    revision: context.revision,
    service: text(parsed.protocol, 32) ?? words.service,
    kind: words.kindOf(source),
    source,
  }
  const kept = new Set(placed)
  place(event, 'session', text(parsed.session, 64))
  place(event, 'username', text(parsed.username, 256))
  place(event, 'password', text(parsed.password, 256))
  place(event, 'command', text(parsed.input, 4096))
  place(event, 'clientVersion', text(parsed.version, 256))
  place(event, 'hassh', text(parsed.hassh, 64))
  place(event, 'method', methodOf(parsed, event.kind))
  place(event, 'fingerprint', text(parsed.fingerprint, 128))
  place(event, 'url', text(parsed.url, 2048))
  place(event, 'size', amount(parsed.size))
  place(event, 'durationMs', amount(parsed.duration_ms))
  const digest = typeof parsed.shasum === 'string' && /^[0-9a-f]{64}$/.test(parsed.shasum) ? parsed.shasum : undefined
  if (digest === undefined) kept.delete('shasum')
  place(event, 'sha256', digest)
  for (const [name, ip, port] of [
    ['src', 'src_ip', 'src_port'],
    ['dst', 'dst_ip', 'dst_port'],
  ] as const) {
    const end = endpoint(parsed[ip], parsed[port])
    if (!end) for (const field of [ip, port]) kept.delete(field)
    place(event, name, end)
  }
  const rest = Object.entries(parsed).filter(([name]) => !kept.has(name))
  if (rest.length > 0) event.data = boundedObject(rest, 0)
  return event
}

function parseLine(line: string): Line | { bad: string } {
  try {
    const value: unknown = JSON.parse(line)
    return isObject(value) ? value : { bad: `a JSON ${Array.isArray(value) ? 'list' : typeof value}, not an object` }
  } catch {
    return { bad: `not JSON: ${short(line)}` }
  }
}

/** Of log-ins alone (a page is asked for with a method too). Cowrie names none: what it says of the log-in tells. */
const methodOf = (parsed: Line, kind: EventKind): string | undefined => {
  if (kind !== 'login.success' && kind !== 'login.failed') return undefined
  if (typeof parsed.password === 'string') return 'password'
  return typeof parsed.fingerprint === 'string' ? 'publickey' : undefined
}

/** The line says which persona the session met, since a reader that comes later may know a newer one only. */
function personaOf(said: unknown, context: EventContext): Pick<DecoyEvent, 'persona' | 'personaVersion'> {
  if (isObject(said) && typeof said.persona === 'string' && uuidv7.test(said.persona)) {
    const version = said.personaVersion
    if (typeof version === 'number' && Number.isSafeInteger(version) && version >= 1) {
      return { persona: said.persona, personaVersion: version }
    }
  }
  return { persona: context.persona, personaVersion: context.personaVersion }
}

const uuidv7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const isObject = (value: unknown): value is Line => typeof value === 'object' && value !== null && !Array.isArray(value)

function place<K extends keyof DecoyEvent>(event: DecoyEvent, name: K, value: DecoyEvent[K] | undefined): void {
  if (value !== undefined) event[name] = value
}

/** Cut to `max` characters, with a marker of how many were cut. */
function text(value: unknown, max: number): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'string' ? cut(value, max) : undefined
}

function cut(value: string, max: number): string {
  if (value.length <= max) return value
  const marker = `...[+${value.length - max}]`
  return value.slice(0, max - marker.length) + marker
}

const utcTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/

function moment(value: unknown): string | undefined {
  return typeof value === 'string' && utcTime.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined
}

function amount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}

function endpoint(ip: unknown, port: unknown): DecoyEvent['src'] {
  if (typeof ip !== 'string' || !isIPv4(ip)) return undefined
  const isPort = typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65535
  return isPort ? { ip, port } : { ip }
}

function bounded(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cut(value, longestText)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= deepest) return '...[deep]'
  if (!Array.isArray(value)) return boundedObject(Object.entries(value), depth)
  const items = value.slice(0, mostFields).map((item) => bounded(item, depth + 1))
  return value.length > mostFields ? [...items, `...[+${value.length - mostFields}]`] : items
}

function boundedObject(entries: readonly [string, unknown][], depth: number): Record<string, unknown> {
  const made = Object.fromEntries(
    entries.slice(0, mostFields).map(([name, value]) => [cut(name, 64), bounded(value, depth + 1)]),
  )
  return entries.length > mostFields ? { ...made, '...': `[+${entries.length - mostFields}]` } : made
}

const short = (value: unknown) => cut(typeof value === 'string' ? JSON.stringify(value) : String(value), 80)

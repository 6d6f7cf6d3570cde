import type { DecoyEvent } from '../../shared/schemas/event.ts'
import { type Classify, type CommandKind, commandKinds } from './classify-command.ts'

/** Something a source did; risk weighs it by `kind`. `detail` are the attacker's own words: data, escaped on display. */
export type Behaviour = { kind: BehaviourKind; detail?: string; technique?: string }

export const behaviourKinds = [
  'touch',
  'inside',
  'decoy.another',
  'port.another',
  'segment.another',
  'user.another',
  'protocol.odd',
  'login.failed',
  'login.success',
  'payload.tried',
  'payload.fetched',
  'payload.uploaded',
  'forward.tried',
  'honey.used',
  'drift.interference',
  ...commandKinds,
] as const
export type BehaviourKind = (typeof behaviourKinds)[number] | CommandKind

/** What is distinct about a source, as an event shows it. */
export type Fact = { kind: 'decoy' | 'segment' | 'port' | 'username' | 'hassh' | 'client'; value: string }

const longestDetail = 160

/** What one event shows of its source's behaviour, without regard to what came before it. */
export function behavioursOf(event: DecoyEvent, inside: boolean, classify: Classify): Behaviour[] {
  switch (event.kind) {
    case 'session.open':
      return [{ kind: 'touch', technique: 'T1595' }, ...(inside ? [{ kind: 'inside' } as const] : [])]
    case 'login.failed':
      return [{ kind: 'login.failed', technique: 'T1110', ...detail(event.username) }]
    case 'login.success':
      return [{ kind: 'login.success', technique: 'T1078', ...detail(event.username) }]
    case 'command':
    case 'command.unknown':
      return classify(event.command ?? '').map((one) => ({ ...one, ...detail(event.command) }))
    case 'file.download':
      return [{ kind: 'payload.fetched', technique: 'T1105', ...detail(event.url) }]
    case 'file.download.failed':
      return [{ kind: 'payload.tried', technique: 'T1105', ...detail(event.url) }]
    case 'file.upload':
      return [{ kind: 'payload.uploaded', technique: 'T1105', ...detail(event.sha256) }]
    case 'forward.request':
      return [
        { kind: 'forward.tried', technique: 'T1090', ...detail(`${event.dst?.ip ?? '?'}:${event.dst?.port ?? '?'}`) },
      ]
    case 'protocol.error':
      return [{ kind: 'protocol.odd', technique: 'T1595' }]
    default:
      return []
  }
}

/** What one event tells that may be new of its source. */
export function factsOf(event: DecoyEvent, where: { segment?: string; port?: number }): Fact[] {
  const facts: Fact[] = []
  const add = (kind: Fact['kind'], value: string | number | undefined) => {
    if (value !== undefined && value !== '') facts.push({ kind, value: String(value) })
  }
  if (event.kind === 'session.open') {
    add('decoy', event.decoy)
    add('segment', where.segment)
    add('port', where.port)
  }
  if (event.kind === 'login.failed' || event.kind === 'login.success') add('username', event.username)
  add('hassh', event.hassh)
  add('client', event.clientVersion)
  return facts
}

/** A further decoy, port, segment or user name of a source is evidence of its own. */
export const anotherOf: Partial<Record<Fact['kind'], Behaviour['kind']>> = {
  decoy: 'decoy.another',
  port: 'port.another',
  segment: 'segment.another',
  username: 'user.another',
}

const detail = (text: string | undefined): { detail?: string } =>
  text === undefined ? {} : { detail: text.length > longestDetail ? `${text.slice(0, longestDetail - 1)}…` : text }

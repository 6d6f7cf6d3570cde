import type { EventKind } from '../../shared/schemas/event.ts'
import { type ParseEvent, parseEventLine } from './event-line.ts'

/** What the further services say (`images/services`): `<service>.<what>`, the same words for all of them. */
const kinds: Readonly<Record<string, EventKind>> = {
  'session.open': 'session.open',
  'session.close': 'session.close',
  'client.version': 'client.version',
  'login.failed': 'login.failed',
  'login.success': 'login.success',
  command: 'command',
  request: 'request',
  'file.upload': 'file.upload',
  'protocol.error': 'protocol.error',
  lost: 'events.lost',
}

/** HTTP, FTP, SMB, databases and the like: one line of an event file of theirs. */
export const parseServicesEvent: ParseEvent = (line, context) =>
  parseEventLine(line, context, {
    kindOf: (source) => kinds[source.slice(source.indexOf('.') + 1)] ?? 'other',
    service: 'services',
  })

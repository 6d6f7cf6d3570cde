import type { EventKind } from '../../shared/schemas/event.ts'
import { type ParseEvent, parseEventLine } from './event-line.ts'

const kinds: Readonly<Record<string, EventKind>> = {
  'cowrie.session.connect': 'session.open',
  'cowrie.session.closed': 'session.close',
  'cowrie.client.version': 'client.version',
  'cowrie.client.kex': 'client.kex',
  'cowrie.client.fingerprint': 'client.key',
  'cowrie.client.malformed_packet': 'protocol.error',
  'cowrie.login.failed': 'login.failed',
  'cowrie.login.success': 'login.success',
  'cowrie.command.input': 'command',
  'cowrie.command.failed': 'command.unknown',
  'cowrie.session.file_download': 'file.download',
  'cowrie.session.file_download.failed': 'file.download.failed',
  'cowrie.session.file_upload': 'file.upload',
  'cowrie.log.closed': 'tty.closed',
  'cowrie.direct-tcpip.request': 'forward.request',
  'cowrie.telnet.error': 'protocol.error',
  'marshlight.events.lost': 'events.lost',
}

/** SSH and telnet: one line of a Cowrie event file. */
export const parseCowrieEvent: ParseEvent = (line, context) =>
  parseEventLine(line, context, { kindOf: (source) => kinds[source] ?? 'other', service: 'cowrie' })

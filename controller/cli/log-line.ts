import { forTerminal } from '../../shared/terminal.ts'
import { wrapped } from './print.ts'

const levels: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
}
/** Of every line the same, or shown apart. */
const known = new Set(['level', 'time', 'pid', 'name', 'msg', 'room', 'v'])

/** When a line of the log was written, as ISO 8601. */
export const timeIn = (line: string): string | undefined => /"time":"(\d{4}-[^"]{16,26}Z)"/.exec(line)?.[1]

/** A line of an agent's log for people: time, level, room, words, and what else it tells. It comes from outside. */
export function logLine(line: string, width = 80): string {
  const record = recordOf(line)
  if (!record) return forTerminal(line, 2000)
  const rest = Object.entries(record).flatMap(([key, value]) =>
    known.has(key) ? [] : [`${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`],
  )
  const time = String(record.time ?? '')
    .slice(0, 19)
    .replace('T', ' ')
  const level = (levels[Number(record.level)] ?? '-').padEnd(5)
  const room = record.room === undefined ? '' : `${record.room}: `
  return wrapped(`${time}Z ${level} ${room}${record.msg ?? ''} ${rest.join(' ')}`.trim(), 4, width)
}

function recordOf(line: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(line) as unknown
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

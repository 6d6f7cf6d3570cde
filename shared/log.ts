import pino from 'pino'

export type Log = pino.Logger
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/**
 * Structured logs on standard error, UTC, secrets masked wherever they might slip in. `keep` is given each line, too.
 */
export function makeLog(name: string, level: LogLevel = 'info', keep?: (line: string) => void): Log {
  const out = pino.destination({ dest: 2, sync: true })
  const write = (line: string) => {
    keep?.(line)
    out.write(line)
  }
  return pino(
    {
      name,
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      base: { pid: process.pid },
      redact: {
        paths: ['token', 'secret', 'password', 'key', '*.token', '*.secret', '*.password', '*.key'],
        censor: '***',
      },
    },
    keep ? { write } : out,
  )
}

export const silentLog: Log = pino({ level: 'silent' })

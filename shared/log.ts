import pino from 'pino'

export type Log = pino.Logger
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Structured logs on standard error, UTC, secrets masked wherever they might slip in. */
export function makeLog(name: string, level: LogLevel = 'info'): Log {
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
    pino.destination({ dest: 2, sync: true }),
  )
}

export const silentLog: Log = pino({ level: 'silent' })

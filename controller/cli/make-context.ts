import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { MarshlightError } from '../../shared/errors.ts'
import { unreadable } from '../../shared/system-errors.ts'
import { jsonForTerminal } from '../../shared/terminal.ts'
import { type ApiTarget, makeClient } from './client.ts'
import type { CliContext } from './context.ts'
import { detailsText, tableText } from './print.ts'

export const defaultDataDir = () => process.env.MARSHLIGHT_DATA ?? '/var/lib/marshlight'

type Globals = { json?: boolean; data?: string; api?: string }

/** The context over a real terminal. Global options are read when a command runs, after parsing. */
export function makeContext(program: Command): CliContext {
  const globals = () => program.opts<Globals>()
  const out = (text: string) => void process.stdout.write(`${text}\n`)
  const width = () => process.stdout.columns ?? (Number(process.env.COLUMNS) || 80)
  return {
    api: makeClient(() => targetOf(globals())),
    json: () => globals().json === true,
    show(value, human) {
      if (globals().json) out(jsonForTerminal(listOrValue(value), 2))
      else human(value)
    },
    table: (columns, rows) => out(rows.length === 0 ? 'Nothing to show.' : tableText(columns, rows, width())),
    details: (pairs) => out(detailsText(pairs)),
    line: out,
    raw: (text) => void process.stdout.write(text),
    progress: withProgress,
  }
}

/** A list is printed as an array, whether the API wrapped it or not. */
function listOrValue(value: unknown): unknown {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : []
  return keys.length === 1 && keys[0] === 'items' ? (value as { items: unknown }).items : value
}

/** The socket in the data folder; or, with --api URL, a remote controller whose token and CA are named in the environment. */
function targetOf(globals: Globals): ApiTarget {
  const api = globals.api ?? process.env.MARSHLIGHT_API
  if (!api) return { socket: join(globals.data ?? defaultDataDir(), 'api.sock') }
  if (!/^https:/.test(api)) return { socket: api }
  return { url: api, token: fromFile('MARSHLIGHT_API_TOKEN_FILE').trim(), ca: fromFile('MARSHLIGHT_API_CA_FILE') }
}

function fromFile(variable: string): string {
  const file = process.env[variable]
  if (!file)
    throw new MarshlightError('USAGE', { what: `${variable} is not set; a remote API needs it`, command: 'marshlight' })
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw unreadable(error, file, 'marshlight init')
  }
}

async function withProgress<T>(what: string, work: Promise<T>): Promise<T> {
  if (!process.stderr.isTTY) return work
  const began = Date.now()
  const tick = setInterval(() => process.stderr.write(`\r${what} … ${Math.round((Date.now() - began) / 1000)} s`), 1000)
  try {
    return await work
  } finally {
    clearInterval(tick)
    if (Date.now() - began >= 1000) process.stderr.write('\r\u001b[K')
  }
}

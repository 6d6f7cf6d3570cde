import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '../../shared/random.ts'

/** What a decoy's writer wrote, byte for byte: whole lines in the order of writing, and files whose last line is torn. */
export type Written = {
  lines: Line[]
  torn: string[]
  /** The last byte written, and the files after it that hold none. */
  end: { file: string; offset: number }
  empty: string[]
}
export type Line = {
  eventid: string
  timestamp: string
  session: string
  src_ip: string
  /** The life of the writer that wrote it, and its number in that life. */
  run: number
  serial: number
} & Record<string, unknown>

const linesOfSession = 12

/** Line `serial` of a life, as Cowrie would write it: sessions of twelve lines, one after another. */
export function lineOf(run: number, serial: number, random: Random): Line {
  const session = Math.floor(serial / linesOfSession)
  const step = serial % linesOfSession
  const from = { src_ip: `198.18.${40 + (session % 3)}.${7 + (session % 5)}`, src_port: 40_000 + (session % 9000) }
  const base = {
    timestamp: new Date().toISOString(),
    session: `r${run}s${session}`,
    protocol: 'ssh',
    ...from,
    dst_ip: '198.18.0.20',
    dst_port: 22,
    run,
    serial,
    message: 'é'.repeat(Math.floor(random() * 40)),
  }
  if (step === 0) return { eventid: 'cowrie.session.connect', ...base }
  if (step === 1) return { eventid: 'cowrie.client.version', version: 'SSH-2.0-libssh_0.11.1', ...base }
  if (step < 5) return { eventid: 'cowrie.login.failed', username: 'root', password: `né${serial}`, ...base }
  if (step === 5) return { eventid: 'cowrie.login.success', username: 'root', password: 'admin', ...base }
  if (step < linesOfSession - 1) return { eventid: 'cowrie.command.input', input: `uname -a; echo ${serial}`, ...base }
  return { eventid: 'cowrie.session.closed', duration_ms: 1200, ...base }
}

export const fileName = (number: number) => `events-${number}.jsonl`
export const fileNumber = (name: string) => Number(/^events-(\d+)\.jsonl$/.exec(name)?.[1] ?? 0)

/** Reads what is kept of all that was ever written. */
export async function readWritten(kept: string): Promise<Written> {
  const names = (await readdir(kept)).sort((a, b) => fileNumber(a) - fileNumber(b))
  const written: Written = { lines: [], torn: [], end: { file: '', offset: 0 }, empty: [] }
  for (const name of names) {
    const bytes = await readFile(join(kept, name))
    const whole = bytes.lastIndexOf(0x0a) + 1
    if (whole < bytes.length) written.torn.push(name)
    const texts = bytes.subarray(0, whole).toString('utf8').split('\n').slice(0, -1)
    for (const text of texts) written.lines.push(JSON.parse(text) as Line)
    if (bytes.length > 0) {
      written.end = { file: name, offset: bytes.length }
      written.empty = []
    } else written.empty.push(name)
  }
  return written
}

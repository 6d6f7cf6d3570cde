import { isProbing, signsIn } from './probing.ts'

/**
 * Kinds of attackers, by what they do. `newcomer`: nothing is known yet; most first visits are of that class, since what
 * is done during a visit must not decide what that visit is given.
 */
export const attackerClasses = ['newcomer', 'scanner', 'brute-forcer', 'bot', 'hands-on', 'prober'] as const
export type AttackerClass = (typeof attackerClasses)[number]

/** What a source did so far at all decoys. Commands in order; `session` tells which were typed in one. */
export type Conduct = {
  sessions: number
  tries: number
  /** Whether a terminal with a size was asked for, as a person's client does. */
  terminal: boolean
  commands: readonly Line[]
  /** What services were asked for that have no log-in, or before one: pages, files, names. */
  requests: readonly Line[]
}
export type Line = { session: string; atMs: number; line: string }

/** A person's pauses between two lines, milliseconds: shorter is a script, whatever its terminal; a day is another sitting. */
const personFromMs = 700
const sittingMs = 3_600_000
/** A browser asks for many things at once, for a page; a person reads that before the next. */
const pageMs = 2000
/** Passwords that a person tries on a page: more are a list's, however slowly it is gone through. */
const personsTries = 10
/** Pauses that differ by less than this part of their middle are a timer's. */
const leastSpread = 0.15

/** The class of a source. Pure; the strongest evidence decides. */
export function classOf(conduct: Conduct): AttackerClass {
  const { sessions, tries, commands, requests } = conduct
  if (isProbing(signsIn([...commands, ...requests].map(({ line }) => line)))) return 'prober'
  if (commands.length > 0) return isByHand(conduct) ? 'hands-on' : 'bot'
  if (tries <= personsTries && isByHand({ commands: pagesOf(requests), terminal: false })) return 'hands-on'
  if (tries > 0) return 'brute-forcer'
  return sessions > 0 ? 'scanner' : 'newcomer'
}

/** With pauses to look at they decide; without, a terminal does. */
function isByHand({ commands, terminal }: Pick<Conduct, 'commands' | 'terminal'>): boolean {
  const pauses = pausesOf(commands)
  if (pauses.length < 2) return terminal && pauses.every((pause) => pause >= personFromMs)
  const middle = quantile(pauses, 0.5)
  const spread = quantile(pauses, 0.75) - quantile(pauses, 0.25)
  return middle >= personFromMs && spread >= leastSpread * middle
}

/** The first request of each page, as one sitting: browsers open connections as they like. */
function pagesOf(requests: readonly Line[]): Line[] {
  return requests
    .filter(({ atMs }, i) => atMs - (requests[i - 1]?.atMs ?? Number.NEGATIVE_INFINITY) >= pageMs)
    .map((one) => ({ ...one, session: 'pages' }))
}

/** Milliseconds between lines of one session, sittings apart left out. */
function pausesOf(commands: Conduct['commands']): number[] {
  const last = new Map<string, number>()
  const pauses: number[] = []
  for (const { session, atMs } of commands) {
    const before = last.get(session)
    last.set(session, atMs)
    if (before !== undefined && atMs >= before && atMs - before < sittingMs) pauses.push(atMs - before)
  }
  return pauses
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.round(part * (sorted.length - 1))] ?? 0
}

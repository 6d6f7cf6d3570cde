import type { AuditArea } from '../../shared/schemas/audit.ts'
import type { AuditNeighbour } from '../../shared/schemas/desired-state.ts'
import type { AuditJob, BareFinding } from './job.ts'

/** What a probe is given. */
export type Look = AuditJob & {
  signal: AbortSignal
  /** Real hosts with this port open. */
  having(port: number): AuditNeighbour[]
  /** What other probes of this audit may need as well, looked at once. */
  once<T>(what: string, work: () => Promise<T>): Promise<T>
}

type Verdict = BareFinding['verdict']
export type Found = Omit<BareFinding, 'area'>

/** One thing that is looked at: one file each, listed in registry.ts. It throws where it cannot look. */
export type Probe = { area: AuditArea; name: string; look(look: Look): Promise<Found[]> }

const cut = (text: string) => (text.length > 512 ? `${text.slice(0, 511)}…` : text)

export function found(probe: string, verdict: Verdict, seen: unknown, expected: unknown, words: string): Found {
  const text = (value: unknown) => cut(typeof value === 'string' ? value : JSON.stringify(value ?? null))
  return { probe, verdict, seen: text(seen), expected: text(expected), words: cut(words) }
}

/** `words` say what a difference tells; an equality needs none. */
export function compared(probe: string, seen: unknown, expected: unknown, words: string): Found {
  const equal = JSON.stringify(seen) === JSON.stringify(expected)
  return found(probe, equal ? 'equal' : 'differs', seen, expected, equal ? 'as expected' : words)
}

export const holds = (probe: string, so: boolean, seen: unknown, expected: unknown, words: string): Found =>
  found(probe, so ? 'equal' : 'differs', seen, expected, so ? 'as expected' : words)

export const unknown = (probe: string, words: string): Found => found(probe, 'unknown', '', '', words)

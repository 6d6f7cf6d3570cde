import type { RunKind } from './runs.ts'

/** How a decoy stands, times in milliseconds since 1970. */
export type Standing = {
  decoy: string
  /** Since when it answers. */
  readyAt: number
  /** Whether this version of its persona was audited to the end. */
  audited: boolean
  last: Partial<Record<RunKind, { id: string; status: 'queued' | 'running' | 'done' | 'failed'; endedAt: number }>>
  /** Audits of this version that failed. */
  failures: number
}

export type Rules = { enabled: boolean; settleSeconds: number; everyHours: number; touchEveryHours: number }
export type Due = { decoy: string; kind: RunKind; reason: 'deploy' | 'schedule' }

const hourMs = 3_600_000
/** After a failure it is tried again so much later; a fresh version that cannot be audited so often waits for its turn. */
const againMs = 300_000
const mostFailures = 3

/**
 * What is to be looked at now. Pure.
 *
 *   a version never audited  -> once its decoy has answered for a while
 *   an audit, a touch        -> again after its time, earlier or later by up to a quarter, so that nobody can wait for it
 *   one that failed          -> again soon
 */
export function dueNow(standings: readonly Standing[], rules: Rules, now: number): Due[] {
  if (!rules.enabled) return []
  const found: Due[] = []
  for (const one of standings) {
    const settledAt = one.readyAt + rules.settleSeconds * 1000
    for (const kind of ['audit', 'touch'] as const) {
      const last = one.last[kind]
      if (last?.status === 'queued' || last?.status === 'running') continue
      const every = (kind === 'audit' ? rules.everyHours : rules.touchEveryHours) * hourMs
      const fresh = kind === 'audit' ? !one.audited && one.failures < mostFailures : !last && every > 0
      const at = fresh
        ? Math.max(settledAt, last?.status === 'failed' ? last.endedAt + againMs : 0)
        : againAt(last, every, kind)
      if (at <= now) found.push({ decoy: one.decoy, kind, reason: fresh ? 'deploy' : 'schedule' })
    }
  }
  return found
}

function againAt(last: Standing['last'][RunKind], every: number, kind: RunKind): number {
  if (!last || every === 0) return Number.POSITIVE_INFINITY
  if (last.status === 'failed' && kind === 'touch') return last.endedAt + againMs
  return last.endedAt + every * (0.75 + fraction(last.id) / 2)
}

/** 0 to 1, drawn once for each run: the end of its id is random. */
const fraction = (id: string): number => Number.parseInt(id.slice(-6), 16) / 0xff_ff_ff

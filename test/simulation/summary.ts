import { tableText } from '../../controller/cli/print.ts'
import type { Audited } from './step-audit.ts'
import type { Adapted, Felt, Scored } from './step-drift.ts'
import type { Records } from './step-figures.ts'
import type { StepResult } from './timeline.ts'

type Spread = { p50: number | null; p95: number | null }

/** What the demo measured; printed as it is with --json. */
export type Summary = {
  hosts: { present: number; found: number }
  decoys: { ready: number }
  firstDecoySeconds: number | null
  audit: Audited
  keyToAlertMs: Spread
  decisionToEnforcedMs: Spread
  records: Records
  blocked: { decoys: boolean; gateway: boolean }
  /** Null where the story did not come so far. */
  drift: Felt | null
  adaptation: Adapted | null
  scores: Scored | null
  steps: StepResult[]
}

export function summaryText(summary: Summary): string {
  const { hosts, decoys, firstDecoySeconds, audit, keyToAlertMs, decisionToEnforcedMs, records, blocked, steps } =
    summary
  const { drift, adaptation, scores } = summary
  const ms = ({ p50, p95 }: Spread) => (p50 === null ? 'not measured' : `half within ${p50} ms, 95 % within ${p95} ms`)
  const yes = (fact: boolean) => (fact ? 'yes' : 'NO')
  const rows = [
    ['hosts found', `${hosts.found} of ${hosts.present} there`],
    ['decoys that answer', String(decoys.ready)],
    ['first decoy answered after', firstDecoySeconds === null ? 'never' : `${firstDecoySeconds} s`],
    ['audit of the decoys', audit.score === null ? 'not made' : `${audit.score} of 100 at least`],
    ['test touch to alert', audit.touchMs === null ? 'not measured' : `${audit.touchMs} ms at most`],
    ['key press to alert', ms(keyToAlertMs)],
    ['decision to enforced', ms(decisionToEnforcedMs)],
    [
      'records',
      `${records.sent} sent, ${records.committed} committed, ${records.lost} lost, ${records.duplicated} doubled`,
    ],
    [
      'drift asked and felt',
      drift === null
        ? 'not measured'
        : `${drift.askedMs} ms: answers in ${drift.feltMs} ms, not ${drift.beforeMs}, after ${drift.afterSeconds} s`,
    ],
    [
      'drift nobody asked for',
      scores === null ? 'not looked for' : `at ${scores.alarmed} of ${scores.decoys} decoys looked at`,
    ],
    [
      'sources adapted to',
      adaptation === null
        ? 'not measured'
        : `${adaptation.drifted} with drift, ${adaptation.adaptive - adaptation.drifted} without, ${adaptation.control} for control`,
    ],
    ['attacker refused', `by the decoys: ${yes(blocked.decoys)}; at the gateway: ${yes(blocked.gateway)}`],
  ]
  const failed = steps.filter(({ ok }) => !ok)
  const end =
    failed.length === 0
      ? `All ${steps.length} steps went well.`
      : `Failed: ${failed.map(({ name, error }) => `${name} (${error})`).join('; ')}`
  return `\n${tableText(['measured', ''], rows, process.stdout.columns ?? 80)}\n\n${end}\n`
}

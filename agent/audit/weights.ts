import type { AuditFinding } from '../../shared/schemas/audit.ts'
import type { BareFinding } from './job.ts'
import weights from './weights.json' with { type: 'json' }

const known: Record<string, { weight: number; because: string }> = weights

/** How much an attacker learns from a difference. A probe without a weight tells, and does not count. */
export const weightOf = (probe: string): number => known[probe]?.weight ?? 0

export const weigh = (finding: BareFinding): AuditFinding => ({ ...finding, weight: weightOf(finding.probe) })

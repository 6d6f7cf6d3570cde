import type { AuditFinding } from './schemas/audit.ts'

type Weighed = Pick<AuditFinding, 'verdict' | 'weight'>

/** The weight of all that could be compared. A score of little weight says little. */
export const comparedWeight = (findings: readonly Weighed[]): number =>
  findings.reduce((sum, { verdict, weight }) => sum + (verdict === 'unknown' ? 0 : weight), 0)

/** 0 to 100: the weight of what was equal, of the weight of all that could be compared; 0 where nothing could. */
export function auditScore(findings: readonly Weighed[]): number {
  const compared = comparedWeight(findings)
  if (compared === 0) return 0
  const equal = findings.reduce((sum, { verdict, weight }) => sum + (verdict === 'equal' ? weight : 0), 0)
  return Math.round((1000 * equal) / compared) / 10
}

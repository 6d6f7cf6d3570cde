import type { AuditFinding } from '../../shared/schemas/audit.ts'
import type { ShownDecoy, Stage } from './story.ts'

type Run = {
  decoy: string
  hostname: string
  status: string
  score?: number
  latencyMs?: number
  why?: string
  beside?: string[]
  findings: AuditFinding[]
  outcome?: string
}

/** By one touch alone, at the thresholds of the demo. */
const became: Record<string, string> = {
  alert: 'becomes an alert',
  'if-repeated': 'is weighed, and would be an alert if it went on,',
  below: 'is weighed, as too little for an alert,',
}
/** The least score of the audited decoys, and the longest way from a touch to its alert, milliseconds. */
export type Audited = { score: number | null; touchMs: number | null }

/** A decoy of each segment looked at as a suspicious neighbour would, and touched to see that it would be noticed. */
export async function auditDecoys({ centre, timeline }: Stage, decoys: readonly ShownDecoy[]): Promise<Audited> {
  const scores: number[] = []
  const touches: number[] = []
  for (const { hostname, segmentName } of decoys) {
    timeline.progress(`auditing ${hostname}`)
    const [audit] = await centre.ask<Run[]>('decoys', 'audit', hostname)
    if (audit?.score === undefined) throw new Error(`${hostname} was not audited: ${audit?.why ?? audit?.status}`)
    scores.push(audit.score)
    const differing = audit.findings.filter(({ verdict }) => verdict === 'differs')
    const compared = audit.findings.filter(({ verdict }) => verdict !== 'unknown').length
    timeline.tell(
      `${hostname} in ${segmentName}: audit ${audit.score} of 100, beside ${audit.beside?.length ?? 0} real hosts; ${compared - differing.length} of ${compared} things as expected`,
    )
    for (const { probe, words } of differing.sort((a, b) => b.weight - a.weight).slice(0, 3))
      timeline.tell(`  told apart by ${probe}: ${words}`)
    const [touch] = await centre.ask<Run[]>('decoys', 'touch', hostname)
    if (touch?.latencyMs === undefined) throw new Error(`a touch of ${hostname} raised no alert: ${touch?.why}`)
    touches.push(touch.latencyMs)
    timeline.tell(
      `a touch of ${hostname} ${became[touch.outcome ?? ''] ?? 'is weighed'} within ${Math.round(touch.latencyMs)} ms`,
    )
  }
  return { score: Math.min(...scores), touchMs: Math.round(Math.max(...touches)) }
}

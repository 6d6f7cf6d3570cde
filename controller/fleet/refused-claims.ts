import { type Hardware, shortHardware } from '../../shared/schemas/hardware.ts'
import type { Sql } from '../store/port.ts'

/** An attempt to use a claim that was turned down. What the other side says of itself is its own word. */
export type RefusedClaim = {
  claim: string
  code: string
  why: string
  source: string
  hostname: string
  hardware?: Hardware | undefined
}
export type RefusalWords = { subject: string; title: string; reasons: string[] }

const titles: Record<string, string> = {
  TOKEN_USED: 'was used again',
  TOKEN_EXPIRED: 'was used too late',
  TOKEN_MISPLACED: 'was used from a wrong place',
  WAITS_FOR_APPROVAL: 'was used, and waits for approval',
  TOKEN_REJECTED: 'was used again after it was rejected',
}

/**
 * What to tell people of a refusal; undefined where the claim is none of ours: whoever reaches the port may make one up,
 * and that is no news.
 */
export async function refusalWords(sql: Sql, o: RefusedClaim): Promise<RefusalWords | undefined> {
  const row = await sql.get<{
    name: string | null
    segment: string
    used_at: string | null
    late_serial: string | null
    agent: string | null
  }>(
    `SELECT c.name, s.name AS segment, c.used_at, c.late_serial, a.name AS agent FROM claims c JOIN segments s ON s.id = c.segment
     LEFT JOIN agents a ON a.id = c.agent WHERE c.id = ?`,
    o.claim,
  )
  if (!row) return undefined
  const whose = row.agent ?? row.name
  const by = [o.hostname, o.hardware && shortHardware(o.hardware)].filter(Boolean).join(', ')
  return {
    subject: o.claim,
    title: row.late_serial
      ? `${whose ?? 'a box'} came back after its certificate had ended, and waits for approval`
      : `a claim for ${whose ? `${whose} in ` : ''}${row.segment} ${titles[o.code] ?? 'was refused'}`,
    reasons: [
      `from ${o.source}${by ? ` by ${by}` : ''}: ${o.why}`,
      ...(row.used_at ? [`first used at ${row.used_at}${row.agent ? `, by what is ${row.agent} now` : ''}`] : []),
    ],
  }
}

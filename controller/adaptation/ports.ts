import type { Profile } from '../../shared/schemas/baseline.ts'
import type { Drift } from '../../shared/schemas/drift.ts'
import type { Sql } from '../store/port.ts'

/** What the loop does to decoys. Each works in the transaction of `sql` and throws a MarshlightError to refuse. */
export type AdaptationPorts = {
  /** What an attacker meets at a decoy; null: no drift. The agent whose plan changes by it. */
  setDrift(
    sql: Sql,
    view: {
      decoy: string
      source: string
      drift: Drift | null
      by: 'adaptation'
      reason: string
      at: string
      until: string
    },
  ): Promise<{ agent: string }>
  clearDrift(
    sql: Sql,
    view: { decoy: string; of: { source: string }; at: string; why: string },
  ): Promise<{ agent: string }>
  /** Settings of a decoy in force; without `source` for everyone. */
  inForce(
    sql: Sql,
    decoy: string,
  ): Promise<readonly { source?: string; by: 'admin' | 'adaptation'; drift: Drift | null }[]>
  /** Whether an administrator's setting was in force at some time between, for everyone or for this source. */
  wasSetByHand(sql: Sql, when: { decoy: string; source: string; from: string; to: string }): Promise<boolean>
  /** What is normal for a port of a decoy, so that drift is relative to it; empty where nothing is known. */
  baselineOf(sql: Sql, decoy: string, port: number): Promise<Profile>
  /** The next version of a decoy's persona. */
  reconfigure(sql: Sql, decoy: string, reason: string): Promise<{ agent: string; what: string }>
  /** Sources that nobody learns from: own scanners, appliances. */
  isExempt(sql: Sql): Promise<(source: string, decoy: string, atMs: number) => boolean>
}

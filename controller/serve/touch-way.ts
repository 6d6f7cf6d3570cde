import { raiseCrossings } from '../alerts/index.ts'
import { makeAttackerProjector } from '../attackers/index.ts'
import type { Way } from '../audit/index.ts'
import type { Deps } from '../deps.ts'
import { makeRiskProjector } from '../risk/index.ts'

/** What an attacker's events go through before somebody is told, for test touches to go through as well. */
export function touchWay(deps: Pick<Deps, 'clock' | 'config'>): Way {
  const projectors = [makeAttackerProjector(), makeRiskProjector(deps)]
  return {
    async weigh(sql, records, source) {
      for (const projector of projectors) await projector.project(sql, records)
      const scored = await sql.get<{ score: number }>('SELECT score FROM risk_scores WHERE source = ?', source)
      const evidence = await sql.get<{ counted: number; exempt: number }>(
        'SELECT COALESCE(SUM(exempt = 0), 0) AS counted, COALESCE(SUM(exempt = 1), 0) AS exempt FROM risk_evidence WHERE source = ?',
        source,
      )
      return { score: scored?.score ?? 0, exempt: evidence?.counted === 0 && evidence.exempt > 0 }
    },
    raise: (sql) => raiseCrossings(sql, deps),
  }
}

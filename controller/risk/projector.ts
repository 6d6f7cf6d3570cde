import { behavioursAt } from '../attackers/index.ts'
import type { Projector } from '../work/port.ts'
import { makeRiskJudge, type RiskDeps } from './judge.ts'

/** Weighs what events told, after attackers made behaviours of them. */
export function makeRiskProjector(deps: RiskDeps): Projector<'events'> {
  const judge = makeRiskJudge(deps)
  return {
    name: 'risk',
    streams: ['events'],
    async project(sql, records) {
      return judge(
        sql,
        await behavioursAt(
          sql,
          records.map(({ pos }) => pos),
        ),
      )
    },
  }
}

import type { Part } from '../../shared/lifecycle.ts'
import {
  type AdaptationPorts,
  makeAdaptation,
  makeAdaptationProjector,
  makeAdaptationRetention,
  makeViews,
} from '../adaptation/index.ts'
import { baselineOf } from '../baselines/index.ts'
import type { DecoyActions } from '../decoys/index.ts'
import type { Deps } from '../deps.ts'
import { clearDrift, inForce, setDrift, wasSetByHand } from '../drift/index.ts'
import { plansNoDrift } from '../fleet/index.ts'
import { coveredBy, readExceptions } from '../risk/index.ts'
import type { Projector } from '../work/port.ts'

/** A plan that wants no drift at a segment stands as what an administrator set for everyone there. */
export const underPlans: Pick<AdaptationPorts, 'inForce' | 'wasSetByHand'> = {
  async inForce(sql, decoy) {
    const held = await inForce(sql, decoy)
    return (await plansNoDrift(sql, decoy)) ? [...held, { by: 'admin', drift: null }] : held
  },
  wasSetByHand: async (sql, when) => (await wasSetByHand(sql, when)) || plansNoDrift(sql, when.decoy),
}

/** The loop that learns what keeps attackers, put together: its projector, and what runs beside it. */
export function adaptationOf(deps: Deps, actions: DecoyActions): { projector: Projector<'events'>; parts: Part[] } {
  const ports: AdaptationPorts = {
    setDrift,
    clearDrift,
    ...underPlans,
    baselineOf: async (sql, decoy, port) => (await baselineOf(sql, { decoy, port })).profile,
    reconfigure: (sql, decoy, reason) => actions.reconfigure(sql, decoy, reason),
    async isExempt(sql) {
      const exceptions = await readExceptions(sql, new Date(deps.clock.now()).toISOString())
      return (source, decoy, atMs) => coveredBy(exceptions, { source, decoy, atMs }) !== undefined
    },
  }
  const views = makeViews({ ...deps, ports })
  return {
    projector: makeAdaptationProjector(deps, views, ports),
    parts: [makeAdaptation(deps, views, ports), makeAdaptationRetention(deps)],
  }
}

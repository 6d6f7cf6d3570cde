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
import { coveredBy, readExceptions } from '../risk/index.ts'
import type { Projector } from '../work/port.ts'

/** The loop that learns what keeps attackers, put together: its projector, and what runs beside it. */
export function adaptationOf(deps: Deps, actions: DecoyActions): { projector: Projector<'events'>; parts: Part[] } {
  const ports: AdaptationPorts = {
    setDrift,
    clearDrift,
    inForce,
    wasSetByHand,
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

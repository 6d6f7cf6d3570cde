export { alertsAged } from './aged.ts'

import type { Part } from '../../shared/lifecycle.ts'
import type { Deps } from '../deps.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent } from '../work/port.ts'
import { type RaiseDeps, raise } from './alerts.ts'
import { makeRiskAlerts } from './risk-alerts.ts'
import { makeWatch } from './watch.ts'
import { makeWebhook } from './webhook.ts'

export {
  type Alert,
  type AlertKind,
  type AlertStatus,
  alertKinds,
  type Cause,
  findAlert,
  listAlerts,
  type RaiseDeps,
  raise,
  type Severity,
  setStatus,
  settle,
  severities,
} from './alerts.ts'
export { makeRiskAlerts, raiseCrossings } from './risk-alerts.ts'
export { makeStateProjector } from './state-projector.ts'
export { alertTables } from './tables.ts'
export { makeWatch } from './watch.ts'
export { makeWebhook, signatureOf } from './webhook.ts'

/** Raises that a response could not be carried out; fits the responder's port `refused`. */
export const raiseRefusal =
  (deps: RaiseDeps) =>
  async (sql: Sql, what: { kind: string; target: string; code: string; why: string }): Promise<BusEvent[]> => {
    const alert = await raise(sql, deps, {
      kind: what.code === 'NO_FREE_ADDRESS' ? 'no-free-address' : 'response-refused',
      subject: what.target,
      // A limit that was set is no fault.
      severity: what.code === 'CONFLICT' ? 'info' : 'warning',
      title: `could not ${what.kind} at ${what.target}`,
      reasons: [what.why],
    })
    return alert ? [{ name: 'alert', id: alert.id }] : []
  }

/** All that alerts run: risk's crossings, the watch, and one sender for each webhook. */
export const alertParts = (deps: Deps): Part[] => [
  makeRiskAlerts(deps),
  makeWatch(deps),
  ...deps.config.alerts.webhooks.map((webhook) => makeWebhook(webhook, deps)),
]

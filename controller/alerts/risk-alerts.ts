import type { Part } from '../../shared/lifecycle.ts'
import type { Deps } from '../deps.ts'
import { type CrossingRow, type ThresholdName, takeCrossings, thresholdNames } from '../risk/index.ts'
import type { Sql } from '../store/port.ts'
import { type Alert, type RaiseDeps, raise, type Severity } from './alerts.ts'

const severityOf: Record<ThresholdName, Severity> = {
  alert: 'warning',
  deploy: 'warning',
  reconfigure: 'high',
  block: 'critical',
}

/** Raises alerts for crossings of thresholds: one a source, however many it crossed at once. */
export function makeRiskAlerts(
  deps: Pick<Deps, 'store' | 'bus' | 'clock' | 'config' | 'log'>,
): Part & { take(): Promise<void> } {
  const { store, bus, log } = deps
  let off = () => {}
  let turn = Promise.resolve()

  const take = (): Promise<void> => {
    turn = turn.then(once, once)
    return turn
  }

  async function once(): Promise<void> {
    for (const { id } of await store.tx((sql) => raiseCrossings(sql, deps))) bus.emit({ name: 'alert', id })
  }

  return {
    name: 'risk alerts',
    take,
    async start() {
      off = bus.on('risk-crossed', () => void take().catch((error) => log.error({ err: error }, 'an alert failed')))
      await take()
    },
    async stop() {
      off()
      await turn.catch(() => undefined)
    },
  }
}

/** Makes alerts of the crossings that were not taken yet, within the caller's transaction. */
export async function raiseCrossings(sql: Sql, deps: RaiseDeps): Promise<Alert[]> {
  const raised: Alert[] = []
  const crossings = await takeCrossings(sql, 'alerts')
  for (const [source, own] of Map.groupBy(crossings, (one) => one.source)) {
    const gravest = own.reduce((a, b) => (rank(b) >= rank(a) ? b : a))
    const alert = await raise(sql, deps, {
      kind: 'risk',
      subject: source,
      severity: severityOf[gravest.threshold],
      title: `${source} reached risk ${Math.round(gravest.score)}`,
      reasons: gravest.reasons.map(({ words }) => words),
      score: gravest.score,
      eventAt: gravest.event_at,
      receivedAt: gravest.received_at,
    })
    if (alert) raised.push(alert)
  }
  return raised
}

const rank = ({ threshold }: CrossingRow) => thresholdNames.indexOf(threshold)

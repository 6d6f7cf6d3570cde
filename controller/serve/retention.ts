import type { Part } from '../../shared/lifecycle.ts'
import { makeRounds } from '../../shared/rounds.ts'
import { alertsAged } from '../alerts/index.ts'
import { auditAged } from '../audit/index.ts'
import { decoysAged } from '../decoys/index.ts'
import type { Deps } from '../deps.ts'
import { driftSettingsAged } from '../drift/index.ts'
import { fleetAged } from '../fleet/index.ts'
import { responseAged } from '../response/index.ts'
import { riskAged } from '../risk/index.ts'
import { segmentsAged } from '../segments/index.ts'
import { type AgedRows, deleteAged } from '../store/aged.ts'
import { updatesAged } from '../updates/index.ts'

const everyMs = 3_600_000

/** What goes by age alone, of every room; those that ask for more than that have a retention of their own. */
export const agedRows: readonly AgedRows[] = [
  ...alertsAged,
  ...auditAged,
  ...decoysAged,
  ...driftSettingsAged,
  ...fleetAged,
  ...responseAged,
  ...riskAged,
  ...segmentsAged,
  ...updatesAged,
]

/** Deletes it, each hour. */
export const makeAgedRetention = ({
  store,
  clock,
  log,
  config,
}: Pick<Deps, 'store' | 'clock' | 'log' | 'config'>): Part =>
  makeRounds({
    name: 'aged rows',
    clock,
    log,
    failure: 'what is old could not be deleted; tried again',
    afterFailureMs: everyMs,
    async round(signal) {
      const deleted = await deleteAged(store, agedRows, { ages: config.retention, now: clock.now(), signal })
      if (deleted > 0) log.info({ deleted }, 'deleted what is over and older than it is kept')
      return everyMs
    },
  })

import { wordsOf } from '../../shared/errors.ts'
import { raise } from '../alerts/index.ts'
import type { Deps } from '../deps.ts'
import type { DesiredPorts } from '../fleet/index.ts'

type Raised = Parameters<typeof raise>[2]

/** Raises by itself, after whatever transaction runs; nobody waits for it. */
function raiseSoon({ store, bus, log, ...deps }: Deps, cause: Raised): void {
  void store
    .tx((sql) => raise(sql, deps, cause))
    .then((alert) => alert && bus.emit({ name: 'alert', id: alert.id }))
    .catch((error) => log.error({ why: wordsOf(error) }, 'an alert could not be kept'))
}

/** What placement could not do, as an alert. */
export const noticeToAlert =
  (deps: Deps) =>
  ({ code, message, segment }: { code: string; message: string; segment: string }): void => {
    const kind = code === 'NO_FREE_ADDRESS' ? 'no-free-address' : 'response-refused'
    raiseSoon(deps, { kind, subject: segment, severity: 'warning', title: message, reasons: [message] })
  }

/** An agent that goes on by an old document since a new one cannot be made. */
export const unmadeToAlert =
  (deps: Deps): NonNullable<DesiredPorts['unmade']> =>
  (agent, kind, error) =>
    raiseSoon(deps, {
      kind: 'notice',
      subject: `${agent}/DOCUMENT_UNSOUND`,
      severity: 'high',
      title: `the ${kind} of an agent could not be made`,
      reasons: [`agent ${agent}`, wordsOf(error)],
    })

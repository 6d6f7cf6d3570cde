import { wordsOf } from '../../shared/errors.ts'
import { type Cause, raise } from '../alerts/index.ts'
import type { Deps } from '../deps.ts'
import { type RefusedClaim, refusalWords, type Twins, typedName } from '../fleet/index.ts'
import type { Sql } from '../store/port.ts'

/** What the fleet's room notices of boxes and claims, as alerts. */
export type FleetAlerts = {
  twins(found: Twins): void
  /** A certificate that a renewal ended was shown again. */
  stale(agent: string, address: string, why: string): void
  refused(what: RefusedClaim): void
  guessed(source: string, hostname: string): void
  late(agent: string, source: string): void
}

export function makeFleetAlerts(deps: Pick<Deps, 'store' | 'bus' | 'clock' | 'config' | 'log'>): FleetAlerts {
  const { store, bus, log } = deps

  /** `typed` is the name for a command that people paste. */
  const tell = (agent: string, cause: (name: string, typed: string) => Cause) =>
    keep(async (sql) => {
      const known = await sql.get<{ name: string }>('SELECT name FROM agents WHERE id = ?', agent)
      const name = known?.name ?? agent
      return cause(name, typedName({ id: agent, name }))
    })

  function keep(causeOf: (sql: Sql) => Promise<Cause | undefined>): void {
    void store
      .tx(async (sql) => {
        const cause = await causeOf(sql)
        return cause && raise(sql, deps, cause)
      })
      .then((alert) => alert && bus.emit({ name: 'alert', id: alert.id }))
      .catch((error) => log.error({ why: wordsOf(error) }, 'an alert could not be kept'))
  }

  return {
    twins: ({ agent, boxes: [one, other] }) =>
      tell(agent, (name, typed) => ({
        kind: 'clone',
        subject: agent,
        severity: 'high',
        title: `two boxes go by the identity of ${name}`,
        reasons: [
          `one at ${one}, one at ${other}`,
          `a copied or moved card: \`marshlight agents replace ${typed} --now\` shuts out both`,
        ],
      })),
    stale: (agent, address, why) =>
      tell(agent, (name) => ({
        kind: 'clone',
        subject: agent,
        severity: 'high',
        title: `an old certificate of ${name} was shown again`,
        reasons: [`from ${address}; ${why}`, 'a copy of its card, or one put back from a backup'],
      })),
    late: (agent, source) =>
      tell(agent, (name) => ({
        kind: 'enrolment',
        subject: agent,
        severity: 'info',
        title: `${name} came back after its certificate had ended`,
        reasons: [`from ${source}; it is the box that it was, and has the next certificate`],
      })),
    guessed: (source, hostname) =>
      keep(async () => ({
        kind: 'enrolment',
        subject: source,
        severity: 'warning',
        title: 'enrolment codes are being guessed',
        reasons: [
          `last from ${source}${hostname ? ` by ${hostname}` : ''}; no code is taken for a while`,
          'boxes with a file from `marshlight agents invite --out` still come in',
        ],
      })),
    refused: (what) =>
      keep(async (sql) => {
        const words = await refusalWords(sql, what)
        // A box that waits asks again and again, and is one piece of news.
        const waits = what.code === 'WAITS_FOR_APPROVAL'
        return words && { kind: 'enrolment', severity: waits ? 'info' : 'warning', lasting: waits, ...words }
      }),
  }
}

import type { Sql } from '../store/port.ts'

/** The run that an event belongs to, by where it came from and when; undefined for anybody else's. */
export type OwnLook = (event: {
  agent: string
  decoy: string
  ip: string
  port: number | undefined
  at: string
  receivedAt: string
}) => string | undefined

/** How far an appliance's clock, by which its decoys tell times, may be from ours; how long what it tells is under way. */
const clocksApartMs = 30_000

type Window = {
  id: string
  agent: string
  decoy: string
  ip: string
  port_from: number
  port_to: number
  from_at: string
  until_at: string
}

/**
 * Knows audits and touches that were ordered here, from the earliest time that is asked about. All of it has to fit:
 * the appliance and the decoy that were ordered, the address and the ports that were drawn, the time: that of the event
 * or, since a box's clock may be wrong, that at which it came here.
 */
export async function ownLooks(sql: Sql, earliest: string): Promise<OwnLook> {
  const slackened = new Date(Date.parse(earliest) - clocksApartMs).toISOString()
  const windows = await sql.all<Window>(
    `SELECT id, agent, decoy, ip, port_from, port_to, from_at, until_at FROM audit_runs
     WHERE until_at IS NOT NULL AND until_at >= ?`,
    slackened,
  )
  if (windows.length === 0) return () => undefined
  const byDecoy = Map.groupBy(windows, ({ decoy }) => decoy)
  return ({ agent, decoy, ip, port, at, receivedAt }) => {
    const times = [Date.parse(at), Date.parse(receivedAt)]
    return byDecoy
      .get(decoy)
      ?.find(
        (one) =>
          one.agent === agent &&
          one.ip === ip &&
          (port === undefined || (port >= one.port_from && port <= one.port_to)) &&
          times.some(
            (ms) => ms >= Date.parse(one.from_at) - clocksApartMs && ms <= Date.parse(one.until_at) + clocksApartMs,
          ),
      )?.id
  }
}

/** MACs that audits used in a segment lately: another appliance there may take one for a host. */
export async function auditMacsIn(sql: Sql, segment: string): Promise<string[]> {
  const rows = await sql.all<{ mac: string }>(
    'SELECT mac FROM audit_runs WHERE segment = ? AND mac IS NOT NULL ORDER BY id DESC LIMIT 2000',
    segment,
  )
  return rows.map(({ mac }) => mac)
}

import type { Clock } from '../../shared/clock.ts'
import { isoNow } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import { contains } from '../../shared/network.ts'
import type { Sql } from '../store/port.ts'

/** Sources whose touches are kept and not scored: own scanners, monitoring. Each has an owner and an end. */
export type RiskException = {
  id: string
  cidr: string
  decoy: string | null
  port: number | null
  from_minute: number | null
  until_minute: number | null
  owner: string
  reason: string
  created_at: string
  expires_at: string
}
export type Happening = { source: string; decoy?: string; port?: number | undefined; atMs: number }

/** The first of `exceptions` that covers what happened. */
export const coveredBy = (exceptions: readonly RiskException[], happening: Happening): RiskException | undefined =>
  exceptions.find(
    (one) =>
      contains(one.cidr, happening.source) &&
      (one.decoy === null || one.decoy === happening.decoy) &&
      (one.port === null || one.port === happening.port) &&
      happening.atMs < Date.parse(one.expires_at) &&
      inWindow(one, happening.atMs),
  )

/** Whether an exception without bounds of decoy, port or hours covers the source: then it has no score at all. */
export const isWhollyExempt = (exceptions: readonly RiskException[], source: string, nowMs: number): boolean =>
  exceptions.some(
    (one) =>
      one.decoy === null &&
      one.port === null &&
      one.from_minute === null &&
      nowMs < Date.parse(one.expires_at) &&
      contains(one.cidr, source),
  )

function inWindow({ from_minute, until_minute }: RiskException, atMs: number): boolean {
  if (from_minute === null || until_minute === null) return true
  const minute = Math.floor(atMs / 60_000) % 1440
  return from_minute <= until_minute
    ? minute >= from_minute && minute < until_minute
    : minute >= from_minute || minute < until_minute
}

/** Exceptions in force, those of the appliances' own addresses included: they scan their segments by profession. */
export async function readExceptions(sql: Sql, since: string): Promise<RiskException[]> {
  const own = await sql.all<{ address: string; name: string }>(
    `SELECT DISTINCT s.address, a.name FROM agent_segments s JOIN agents a ON a.id = s.agent
     WHERE s.address IS NOT NULL AND a.status = 'enrolled'`,
  )
  const written = await sql.all<RiskException>('SELECT * FROM risk_exceptions WHERE expires_at > ? ORDER BY id', since)
  return [
    ...written,
    ...own.map(({ address, name }) => ({
      id: `agent:${name}`,
      cidr: `${address.split('/')[0]}/32`,
      decoy: null,
      port: null,
      from_minute: null,
      until_minute: null,
      owner: 'marshlight',
      reason: `the appliance ${name} itself`,
      created_at: since,
      expires_at: '9999-12-31T00:00:00.000Z',
    })),
  ]
}

export async function addException(
  sql: Sql,
  clock: Clock,
  what: Omit<RiskException, 'id' | 'created_at'>,
): Promise<RiskException> {
  const one: RiskException = { id: newId(clock.now()), ...what, created_at: isoNow(clock) }
  await sql.run(
    'INSERT INTO risk_exceptions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    one.id,
    one.cidr,
    one.decoy,
    one.port,
    one.from_minute,
    one.until_minute,
    one.owner,
    one.reason,
    one.created_at,
    one.expires_at,
  )
  return one
}

/** Removes the exception whose id begins with `prefix`. Throws NOT_FOUND, AMBIGUOUS. */
export async function findException(sql: Sql, prefix: string): Promise<RiskException> {
  const found = await sql.all<RiskException>('SELECT * FROM risk_exceptions WHERE id LIKE ? LIMIT 5', `${prefix}%`)
  const [one, ...more] = found
  if (!one)
    throw new MarshlightError('NOT_FOUND', { kind: 'exception', value: prefix, command: 'marshlight sources exempt' })
  if (more.length > 0)
    throw new MarshlightError('AMBIGUOUS', {
      kind: 'exception',
      value: prefix,
      matches: found.map(({ id }) => id).join(', '),
    })
  return one
}

export const removeException = (sql: Sql, id: string) => sql.run('DELETE FROM risk_exceptions WHERE id = ?', id)

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { MarshlightError } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import { contains } from '../../shared/network.ts'
import type { Sql } from '../store/port.ts'

export type Role = 'decoys' | 'enforcer'
export type Invitation = { site: string; segment: string; name?: string; roles: Role[]; hours: number; from?: string[] }
export type Claim = {
  id: string
  name: string | null
  roles: Role[]
  segment: string
  agent: string | null
  /** The agent whose box it replaces. */
  replaces: string | null
  usedAt: string | null
  /** Hash of the request of the box that waits, or waited, for approval. */
  askedBy: string | null
  decision: string | null
  expiresAt: string
}

/** How long a lost answer to a claim may be asked for again by the same key. */
const answerAgainMs = 15 * 60_000

/** A one-time claim for one agent in one segment, which is made if it is new. The secret is returned once and kept as a hash. */
export async function makeClaim(
  sql: Sql,
  invitation: Invitation,
  now: number,
): Promise<{ id: string; secret: string; expiresAt: string }> {
  const segment = await segmentNamed(sql, invitation.site, invitation.segment, now)
  return insertClaim(sql, { ...invitation, segment }, now)
}

/** The same for a box that takes another's place; an earlier one for the same agent is void. */
export async function makeReplacement(
  sql: Sql,
  o: { agent: string; roles: Role[]; segment: string; hours: number; now: number },
): Promise<{ id: string; secret: string; expiresAt: string }> {
  await sql.run('DELETE FROM claims WHERE replaces = ? AND used_at IS NULL', o.agent)
  return insertClaim(sql, { ...o, replaces: o.agent }, o.now)
}

async function insertClaim(
  sql: Sql,
  claim: { name?: string; roles: Role[]; segment: string; hours: number; replaces?: string; from?: string[] },
  now: number,
): Promise<{ id: string; secret: string; expiresAt: string }> {
  const id = newId(now)
  const secret = randomBytes(24).toString('base64url')
  const expiresAt = new Date(now + claim.hours * 3_600_000).toISOString()
  await sql.run(
    'INSERT INTO claims (id, secret_hash, name, roles, segment, made_at, expires_at, replaces, sources) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    id,
    hash(secret),
    claim.name ?? null,
    JSON.stringify(claim.roles),
    claim.segment,
    new Date(now).toISOString(),
    expiresAt,
    claim.replaces ?? null,
    claim.from ? JSON.stringify(claim.from) : null,
  )
  return { id, secret, expiresAt }
}

/**
 * The claim, if it may be used now by the key of `csrHash`. Throws TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_USED, TOKEN_REJECTED or TOKEN_MISPLACED. A claim
 * that the same key used a moment ago is given again, with its agent: its answer may have been lost.
 */
export async function openClaim(
  sql: Sql,
  token: { id: string; secret: string },
  csrHash: string,
  now: number,
  source = '',
): Promise<Claim> {
  const row = await sql.get<Record<string, string | null>>('SELECT * FROM claims WHERE id = ?', token.id)
  if (!row || !same(String(row.secret_hash), hash(token.secret)))
    throw new MarshlightError('TOKEN_INVALID', { why: 'the controller does not know it' })
  const usedAgain = row.used_at && row.csr_hash === csrHash && now - Date.parse(row.used_at) < answerAgainMs
  if (row.used_at && !usedAgain) throw new MarshlightError('TOKEN_USED', { id: token.id })
  const expiresAt = String(row.expires_at)
  if (row.decision === 'rejected') throw new MarshlightError('TOKEN_REJECTED', { id: token.id })
  // Who came in time may wait for its approval as long as that takes.
  if (!row.used_at && row.asked_by !== csrHash && Date.parse(expiresAt) <= now)
    throw new MarshlightError('TOKEN_EXPIRED', { id: token.id, expiresAt })
  const from = row.sources ? (JSON.parse(row.sources) as string[]) : undefined
  if (from && !from.some((network) => isIPv4(source) && contains(network, source)))
    throw new MarshlightError('TOKEN_MISPLACED', { id: token.id, source: source || 'an unknown address' })
  return {
    id: token.id,
    name: row.name ?? null,
    roles: JSON.parse(String(row.roles)) as Role[],
    segment: String(row.segment),
    agent: row.agent ?? null,
    replaces: row.replaces ?? null,
    usedAt: row.used_at ?? null,
    askedBy: row.asked_by ?? null,
    decision: row.decision ?? null,
    expiresAt,
  }
}

export const useClaim = (sql: Sql, claim: string, agent: string, csrHash: string, now: string) =>
  sql.run('UPDATE claims SET used_at = ?, agent = ?, csr_hash = ? WHERE id = ?', now, agent, csrHash, claim)

/** A token as text: what the agent needs to find, trust and convince the controller. */
export const tokenText = (o: { id: string; secret: string; ca: string; exp: string; controller: string }): string =>
  `ml1.${Buffer.from(JSON.stringify(o)).toString('base64url')}`

async function segmentNamed(sql: Sql, site: string, segment: string, now: number): Promise<string> {
  await sql.run('INSERT INTO sites (id, name) VALUES (?, ?) ON CONFLICT (name) DO NOTHING', newId(now), site)
  const siteId = (await sql.get<{ id: string }>('SELECT id FROM sites WHERE name = ?', site))?.id ?? ''
  await sql.run(
    'INSERT INTO segments (id, site, name) VALUES (?, ?, ?) ON CONFLICT (site, name) DO NOTHING',
    newId(now),
    siteId,
    segment,
  )
  return (
    (await sql.get<{ id: string }>('SELECT id FROM segments WHERE site = ? AND name = ?', siteId, segment))?.id ?? ''
  )
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const same = (a: string, b: string) => timingSafeEqual(Buffer.from(hash(a)), Buffer.from(hash(b)))

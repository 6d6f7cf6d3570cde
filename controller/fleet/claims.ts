import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { secretFrom } from '../../shared/enrolment-code.ts'
import { MarshlightError } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import { contains, overlaps } from '../../shared/network.ts'
import type { Sql } from '../store/port.ts'
import { networksOf } from './known-networks.ts'

export type Role = 'decoys' | 'enforcer'
type Terms = {
  hours: number
  /** Networks from which the controller has to see the box. */
  from?: string[]
  /** Networks of which the box has to stand in one by its own word: behind a router all look alike from here. */
  within?: string[]
  /** Without `from` and `within` it is bound to the networks that its segment is known to have, unless this is set. */
  anywhere?: boolean
  /** It can be used by a code that people type, this long. */
  codeMinutes?: number
}
export type Invitation = { site: string; segment: string; name?: string; roles: Role[] } & Terms
export type MadeClaim = {
  id: string
  secret: string
  expiresAt: string
  /** The secret part of the code, as symbols. */
  code?: { secret: string; expiresAt: string }
  /** Where it is good, if not anywhere. */
  within?: string[]
}
/** What a box shows: a token, or the secret part of a code. */
export type Shown = { id: string; secret: string } | { code: string }
/** Whence it shows it: the address the controller sees, and the networks the box says it stands in. */
export type Place = { source?: string | undefined; networks?: readonly string[] | undefined }
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
export async function makeClaim(sql: Sql, invitation: Invitation, now: number): Promise<MadeClaim> {
  const segment = await segmentNamed(sql, invitation.site, invitation.segment, now)
  return insertClaim(sql, { ...invitation, segment }, now)
}

/** The same for a box that takes another's place; an earlier one for the same agent is void. */
export async function makeReplacement(
  sql: Sql,
  o: { agent: string; roles: Role[]; segment: string; now: number } & Terms,
): Promise<MadeClaim> {
  await sql.run('DELETE FROM claims WHERE replaces = ? AND used_at IS NULL', o.agent)
  return insertClaim(sql, { ...o, replaces: o.agent }, o.now)
}

async function insertClaim(
  sql: Sql,
  claim: { name?: string; roles: Role[]; segment: string; replaces?: string } & Terms,
  now: number,
): Promise<MadeClaim> {
  const id = newId(now)
  const within =
    claim.within ?? (claim.from || claim.anywhere ? [] : await networksOf(sql, claim.segment, claim.replaces))
  const secret = randomBytes(24).toString('base64url')
  const later = (ms: number) => new Date(now + ms).toISOString()
  const expiresAt = later(claim.hours * 3_600_000)
  const code = claim.codeMinutes
    ? { secret: secretFrom(randomBytes(5)), expiresAt: later(Math.min(claim.codeMinutes, claim.hours * 60) * 60_000) }
    : undefined
  await sql.run(
    `INSERT INTO claims (id, secret_hash, name, roles, segment, made_at, expires_at, replaces, sources, within, code_hash, code_expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    hash(secret),
    claim.name ?? null,
    JSON.stringify(claim.roles),
    claim.segment,
    later(0),
    expiresAt,
    claim.replaces ?? null,
    claim.from ? JSON.stringify(claim.from) : null,
    within.length > 0 ? JSON.stringify(within) : null,
    code ? codeHash(code.secret) : null,
    code?.expiresAt ?? null,
  )
  return { id, secret, expiresAt, ...(code && { code }), ...(within.length > 0 && { within }) }
}

/**
 * The claim, if it may be used now by the key of `csrHash`. Throws TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_USED, TOKEN_REJECTED or TOKEN_MISPLACED. A claim
 * that the same key used is given again, with its agent, a while or until that agent was there: its answer may have been lost.
 */
export async function openClaim(
  sql: Sql,
  shown: Shown,
  csrHash: string,
  now: number,
  place: Place = {},
): Promise<Claim> {
  const row = await claimOf(sql, shown)
  const id = String(row.id)
  const expiresAt = String('code' in shown ? row.code_expires_at : row.expires_at)
  if (row.used_at && !(row.csr_hash === csrHash && (await answerMayBeLost(sql, row, now))))
    throw new MarshlightError('TOKEN_USED', { id })
  if (row.decision === 'rejected') throw new MarshlightError('TOKEN_REJECTED', { id })
  // Who came in time may wait for its approval as long as that takes.
  if (!row.used_at && row.asked_by !== csrHash && Date.parse(expiresAt) <= now)
    throw new MarshlightError('TOKEN_EXPIRED', { id, expiresAt })
  checkPlace(row, id, place)
  return {
    id,
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

type Row = Record<string, string | null>

async function claimOf(sql: Sql, shown: Shown): Promise<Row> {
  if ('code' in shown) {
    const row = await sql.get<Row>('SELECT * FROM claims WHERE code_hash = ?', codeHash(shown.code))
    if (!row) throw new MarshlightError('TOKEN_INVALID', { why: 'the controller does not know the code' })
    return row
  }
  const row = await sql.get<Row>('SELECT * FROM claims WHERE id = ?', shown.id)
  if (!row || !same(String(row.secret_hash), hash(shown.secret)))
    throw new MarshlightError('TOKEN_INVALID', { why: 'the controller does not know it' })
  return row
}

/** A box may be without power from the moment it is let in, until its claim ends: then nobody has seen its agent. */
async function answerMayBeLost(sql: Sql, row: Row, now: number): Promise<boolean> {
  if (now - Date.parse(String(row.used_at)) < answerAgainMs) return true
  if (Date.parse(String(row.expires_at)) <= now) return false
  return (
    (await sql.get('SELECT 1 AS ok FROM agents WHERE id = ? AND last_seen IS NULL', row.agent ?? null)) !== undefined
  )
}

function checkPlace(row: Row, id: string, { source = '', networks = [] }: Place): void {
  const listed = (column: string | null | undefined) => (column ? (JSON.parse(column) as string[]) : undefined)
  const from = listed(row.sources)
  if (from && !from.some((network) => isIPv4(source) && contains(network, source)))
    throw new MarshlightError('TOKEN_MISPLACED', { id, meant: from.join(','), source: source || 'an-unknown-address' })
  const within = listed(row.within)
  if (within && !within.some((network) => networks.some((own) => overlaps(network, own))))
    throw new MarshlightError('TOKEN_MISPLACED', {
      id,
      meant: within.join(','),
      source: networks.join(',').slice(0, 128) || 'no-network-at-all',
    })
}

export const useClaim = (sql: Sql, claim: string, agent: string, csrHash: string, now: string) =>
  sql.run('UPDATE claims SET used_at = ?, agent = ?, csr_hash = ? WHERE id = ?', now, agent, csrHash, claim)

/** A token as text: what the agent needs to find, trust and convince the controller. */
export const tokenText = (o: { id: string; secret: string; ca: string; exp: string; controller: string }): string =>
  `ml1.${Buffer.from(JSON.stringify(o)).toString('base64url')}`

/** The segment of that name at that site; either is made where it is new. */
export async function segmentNamed(sql: Sql, site: string, segment: string, now: number): Promise<string> {
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
/** To find the claim by. It hides little of 40 bits: who reads the database may as well sign certificates. */
const codeHash = (secret: string) => hash(`marshlight code ${secret}`)
const same = (a: string, b: string) => timingSafeEqual(Buffer.from(hash(a)), Buffer.from(hash(b)))

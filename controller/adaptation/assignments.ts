import type { Arm } from '../drift/bandit.ts'
import type { Sql } from '../store/port.ts'
import type { Drawn, Group } from './assign.ts'

/** What a source was given for a time. */
export type Assignment = {
  id: number
  source: string
  class: string
  grp: Group
  arm: Arm
  shown: Arm
  seed: string
  because: string
  made_at: string
  until: string
}

export type ChangeKind = 'view' | 'move' | 'persona' | 'refused'
export type Change = { at: string; decoy: string; source: string; kind: ChangeKind; arm: Arm | null; because: string }

export const standing = (sql: Sql, source: string, at: string): Promise<Assignment | undefined> =>
  sql.get<Assignment>(
    'SELECT * FROM adaptation_assignments WHERE source = ? AND until > ? ORDER BY id DESC LIMIT 1',
    source,
    at,
  )

export const assignmentOf = (sql: Sql, id: number): Promise<Assignment | undefined> =>
  sql.get<Assignment>('SELECT * FROM adaptation_assignments WHERE id = ?', id)

export async function insertAssignment(
  sql: Sql,
  { attackers, group, arm, because }: Drawn,
  { source, seed, at, until }: { source: string; seed: string; at: string; until: string },
): Promise<Assignment> {
  await sql.run(
    `INSERT INTO adaptation_assignments (source, class, grp, arm, shown, seed, because, made_at, until)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    source,
    attackers,
    group,
    arm,
    arm,
    seed,
    because,
    at,
    until,
  )
  const made = await standing(sql, source, at)
  if (!made) throw new Error('an assignment that was just made is not there')
  return made
}

export const noteChange = (sql: Sql, { at, decoy, source, kind, arm, because }: Change) =>
  sql.run(
    'INSERT INTO adaptation_changes (at, decoy, source, kind, arm, because) VALUES (?, ?, ?, ?, ?, ?)',
    at,
    decoy,
    source,
    kind,
    arm,
    because.slice(0, 512),
  )

/** Once an hour for a source at a decoy is enough to explain. */
export async function noteRefusal(sql: Sql, change: Omit<Change, 'kind' | 'arm'>, since: string): Promise<void> {
  const known = await sql.get(
    "SELECT 1 AS one FROM adaptation_changes WHERE source = ? AND decoy = ? AND kind = 'refused' AND because = ? AND at > ? LIMIT 1",
    change.source,
    change.decoy,
    change.because.slice(0, 512),
    since,
  )
  if (!known) await noteChange(sql, { ...change, kind: 'refused', arm: null })
}

/** Changes of a decoy made after `since`, those of its persona included. */
export async function madeSince(sql: Sql, decoy: string, since: string): Promise<number> {
  const row = await sql.get<{ n: number }>(
    "SELECT COUNT(*) AS n FROM adaptation_changes WHERE decoy = ? AND at > ? AND kind <> 'refused'",
    decoy,
    since,
  )
  return row?.n ?? 0
}

/** When the last change of this kind was made: of a source's view, or of a decoy's persona. */
export async function lastChange(
  sql: Sql,
  of: { source: string; kind: 'move' } | { decoy: string; kind: 'persona' },
): Promise<number | undefined> {
  const row =
    of.kind === 'move'
      ? await sql.get<{ at: string | null }>(
          "SELECT MAX(at) AS at FROM adaptation_changes WHERE source = ? AND kind IN ('view', 'move')",
          of.source,
        )
      : await sql.get<{ at: string | null }>(
          "SELECT MAX(at) AS at FROM adaptation_changes WHERE decoy = ? AND kind = 'persona'",
          of.decoy,
        )
  return row?.at ? Date.parse(row.at) : undefined
}

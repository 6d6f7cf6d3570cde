import { MarshlightError } from '../../shared/errors.ts'
import type { Arm } from '../drift/bandit.ts'
import type { Sql } from '../store/port.ts'
import type { Assignment, Change } from './assignments.ts'
import { type AttackerClass, classOf } from './attacker-class.ts'
import { conductOf } from './conduct.ts'
import { signsIn } from './probing.ts'
import type { Visit } from './visits.ts'

/** Why an attacker meets what he meets. */
export type Explained = {
  source: string
  /** By all that is known now; what was assigned rests on what was known then. */
  class: AttackerClass
  known: { sessions: number; tries: number; commands: number; requests: number; terminal: boolean; signs: string[] }
  assignments: (Assignment & { inForce: boolean; visits: number })[]
  changes: Change[]
  visits: (Visit & { arm: Arm })[]
}

const most = 20

/** Throws NOT_FOUND for a source that was given nothing and refused nothing. */
export async function explain(sql: Sql, source: string, now: string): Promise<Explained> {
  const assignments = await sql.all<Assignment & { visits: number }>(
    `SELECT a.*, (SELECT COUNT(*) FROM adaptation_visits v WHERE v.assignment = a.id) AS visits
     FROM adaptation_assignments a WHERE source = ? ORDER BY id DESC LIMIT ?`,
    source,
    most,
  )
  const changes = await sql.all<Change>(
    'SELECT at, decoy, source, kind, arm, because FROM adaptation_changes WHERE source = ? ORDER BY id DESC LIMIT ?',
    source,
    most,
  )
  if (assignments.length + changes.length === 0)
    throw new MarshlightError('NOT_FOUND', { kind: 'adaptation of', value: source, command: 'marshlight sources ls' })
  const visits = await sql.all<Visit & { arm: Arm }>(
    `SELECT v.*, a.arm FROM adaptation_visits v JOIN adaptation_assignments a ON a.id = v.assignment
     WHERE v.source = ? ORDER BY v.id DESC LIMIT ?`,
    source,
    most,
  )
  const conduct = await conductOf(sql, source)
  const { sessions, tries, terminal, commands, requests } = conduct
  const signs = signsIn([...commands, ...requests].map(({ line }) => line))
  return {
    source,
    class: classOf(conduct),
    known: { sessions, tries, commands: commands.length, requests: requests.length, terminal, signs },
    assignments: assignments.map((one) => ({ ...one, inForce: one.until > now })),
    changes,
    visits,
  }
}

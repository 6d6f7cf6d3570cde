import type { Arm, Beliefs } from '../drift/bandit.ts'
import { learn, relearn } from '../drift/bandit.ts'
import type { Sql } from '../store/port.ts'

type Row = { class: string; arm: Arm; n: number; mean: number; squares: number }
/** A visit that has ended, with what its source had been assigned as what. */
type Told = { source: string; attackers: string; arm: Arm; engagement: number }

/** What is believed of a class of attackers. */
export async function readBeliefs(sql: Sql, attackers: string): Promise<Beliefs> {
  const rows = await sql.all<Row>('SELECT * FROM adaptation_beliefs WHERE class = ?', attackers)
  return { [attackers]: Object.fromEntries(rows.map(({ arm, n, mean, squares }) => [arm, { n, mean, squares }])) }
}

/**
 * Learns from one visit, in the transaction that ends it, after its engagement was written. A source is one observation of
 * an arm, the mean of its visits, however often it comes: each further visit moves what it said, and adds no certainty.
 * One whose visits are no longer kept is new again.
 */
export async function learnFrom(sql: Sql, { source, attackers, arm, engagement }: Told): Promise<void> {
  const own = await sql.get<{ visits: number; sum: number }>(
    `SELECT COUNT(*) AS visits, COALESCE(SUM(v.engagement), 0) AS sum
     FROM adaptation_visits v JOIN adaptation_assignments a ON a.id = v.assignment
     WHERE v.source = ? AND a.class = ? AND a.arm = ? AND v.engagement IS NOT NULL`,
    source,
    attackers,
    arm,
  )
  const { visits = 1, sum = engagement } = own ?? {}
  const known = await readBeliefs(sql, attackers)
  const beliefs =
    visits <= 1
      ? learn(known, attackers, arm, engagement)
      : relearn(known, attackers, arm, { was: (sum - engagement) / (visits - 1), is: sum / visits })
  const belief = beliefs[attackers]?.[arm]
  if (!belief) return
  await sql.run(
    `INSERT INTO adaptation_beliefs VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (class, arm) DO UPDATE SET n = excluded.n, mean = excluded.mean, squares = excluded.squares`,
    attackers,
    arm,
    belief.n,
    belief.mean,
    belief.squares,
  )
}

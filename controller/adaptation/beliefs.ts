import type { Arm, Beliefs } from '../drift/bandit.ts'
import { learn } from '../drift/bandit.ts'
import type { Sql } from '../store/port.ts'

type Row = { class: string; arm: Arm; n: number; mean: number; squares: number }

/** What is believed of a class of attackers. */
export async function readBeliefs(sql: Sql, attackers: string): Promise<Beliefs> {
  const rows = await sql.all<Row>('SELECT * FROM adaptation_beliefs WHERE class = ?', attackers)
  return { [attackers]: Object.fromEntries(rows.map(({ arm, n, mean, squares }) => [arm, { n, mean, squares }])) }
}

/** Learns from one visit, in the transaction that ends it. */
export async function learnFrom(sql: Sql, attackers: string, arm: Arm, engagement: number): Promise<void> {
  const belief = learn(await readBeliefs(sql, attackers), attackers, arm, engagement)[attackers]?.[arm]
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

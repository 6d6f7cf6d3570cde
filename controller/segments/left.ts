import { canonicalCidr } from '../../shared/network.ts'
import type { Migration, Sql } from '../store/port.ts'

export const leftTables: Migration = {
  room: 'segments',
  version: 3,
  statements: [
    // Networks that an agent stood in before it was moved: what it says of them later is of its earlier place.
    `CREATE TABLE agent_left (agent TEXT NOT NULL, cidr TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (agent, cidr))`,
  ],
}

/**
 * Whether a record is of a network that the box was moved away from: it still has some to tell. What it says of its card
 * after the move is where it stands now, even where the network is called the same there.
 */
export async function isOfEarlierPlace(
  sql: Sql,
  agent: string,
  { type, cidr, at }: { type: string; cidr: string; at: string },
): Promise<boolean> {
  const left = await sql.get<{ at: string }>(
    'SELECT at FROM agent_left WHERE agent = ? AND cidr = ?',
    agent,
    canonicalCidr(cidr),
  )
  if (!left) return false
  if (type !== 'segment' || at <= left.at) return true
  await sql.run('DELETE FROM agent_left WHERE agent = ? AND cidr = ?', agent, canonicalCidr(cidr))
  return false
}

import { type Hardware, hardware, sameBox, shortHardware } from '../../shared/schemas/hardware.ts'
import type { Sql } from '../store/port.ts'

/** Two boxes that go by one identity, each as people know it: its address, and its hardware where it said. */
export type Twins = { agent: string; boxes: [string, string] }
type Box = { address: string; hardware?: Hardware | undefined }

const windowMs = 10 * 60_000
/** A takes over from B, B from A, A from B: a box that merely moved takes over once. */
const turns = 3

export const boxWords = ({ address, hardware }: Box): string =>
  `${address || 'unknown address'}${hardware ? ` (${shortHardware(hardware)})` : ''}`

/**
 * Follows which connection takes the place of which. Two boxes with one certificate push each other out without end; a
 * box with two cards, or a line that breaks, does so as well, and is told by its hardware.
 *
 *   took(A -> B), took(B -> A), took(A -> B) within ten minutes, other addresses, hardware not known to be the same -> twins
 */
export function makeTakeovers(now: () => number) {
  const recent = new Map<string, { at: number; from: Box; to: Box }[]>()
  return (agent: string, from: Box, to: Box): Twins | undefined => {
    const since = now() - windowMs
    const held = [...(recent.get(agent) ?? []).filter(({ at }) => at > since), { at: now(), from, to }].slice(-turns)
    recent.set(agent, held)
    if (held.length < turns || from.address === to.address) return undefined
    const alternate = held.every((turn, i) => i === 0 || held[i - 1]?.from.address === turn.to.address)
    if (!alternate) return undefined
    const known = from.hardware && to.hardware ? sameBox(from.hardware, to.hardware) : undefined
    if (known) return undefined
    recent.delete(agent)
    return { agent, boxes: [boxWords(from), boxWords(to)] }
  }
}

/**
 * Compares what a box says of its hardware with what the agent is bound to; the first that says it binds the agent.
 * Gives the twins when it is another box.
 */
export async function compareHardware(
  sql: Sql,
  { agent, address, said, at }: { agent: string; address: string; said: Hardware; at: string },
): Promise<Twins | undefined> {
  const row = await sql.get<{ body: string; address: string | null }>(
    'SELECT body, address FROM agent_hardware WHERE agent = ?',
    agent,
  )
  const bound = row && hardware.parse(JSON.parse(row.body))
  if (!row || !bound) {
    await bindHardware(sql, { agent, address, said, at })
    return undefined
  }
  if (sameBox(bound, said) === false)
    return {
      agent,
      boxes: [boxWords({ address: row.address ?? '', hardware: bound }), boxWords({ address, hardware: said })],
    }
  if (row.address !== address) await sql.run('UPDATE agent_hardware SET address = ? WHERE agent = ?', address, agent)
  return undefined
}

/** Binds the agent to a box. A box that says nothing of itself unbinds it: the first that does binds it again. */
export async function bindHardware(
  sql: Sql,
  o: { agent: string; address: string; said: Hardware | undefined; at: string },
): Promise<void> {
  await sql.run('DELETE FROM agent_hardware WHERE agent = ?', o.agent)
  if (!o.said || (o.said.board === undefined && o.said.macs.length === 0)) return
  await sql.run(
    'INSERT INTO agent_hardware (agent, body, address, since) VALUES (?, ?, ?, ?)',
    o.agent,
    JSON.stringify(o.said),
    o.address,
    o.at,
  )
}

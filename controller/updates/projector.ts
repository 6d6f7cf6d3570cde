import type { UpdateState } from '../../shared/schemas/update.ts'
import { type RaiseDeps, raise } from '../alerts/index.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent, Projector } from '../work/port.ts'
import { noteRunning } from './running.ts'

const broken: ReadonlySet<string> = new Set(['rolled-back', 'refused', 'failed'])

/** Stream `state` -> what each box runs, and where its update stands. A box that broke is told once, with its reason. */
export function makeUpdateProjector(deps: RaiseDeps): Projector<'state'> {
  return {
    name: 'updates',
    streams: ['state'],
    async project(sql, records) {
      const events: BusEvent[] = []
      let moved = false
      for (const { agent, record, receivedAt } of records) {
        if (record.type !== 'update') continue
        await noteRunning(sql, agent, receivedAt, record.running)
        if (!(await take(sql, agent, record))) continue
        moved = true
        const alert = broken.has(record.phase) ? await tell(sql, deps, agent, record) : undefined
        if (alert) events.push({ name: 'alert', id: alert.id })
      }
      return moved ? [...events, { name: 'rollouts-changed' }] : events
    },
  }
}

/** Whether its phase changed. Records of a box come in the order in which it wrote them; of rollouts that are not its own, nothing is kept. */
async function take(sql: Sql, agent: string, said: UpdateState): Promise<boolean> {
  const held = await sql.get<{ phase: string | null }>(
    'SELECT phase FROM rollout_boxes WHERE rollout = ? AND agent = ?',
    said.rollout,
    agent,
  )
  if (!held) return false
  await sql.run(
    `UPDATE rollout_boxes SET phase = ?, phase_at = ?, bytes = COALESCE(?, bytes), of = COALESCE(?, of), code = ?, reason = ?
     WHERE rollout = ? AND agent = ?`,
    said.phase,
    said.at,
    said.bytes ?? null,
    said.of ?? null,
    said.code ?? null,
    said.reason ?? null,
    said.rollout,
    agent,
  )
  return held.phase !== said.phase
}

const words = { 'rolled-back': 'went back from', refused: 'refused', failed: 'failed to take' } as const

async function tell(sql: Sql, deps: RaiseDeps, agent: string, { phase, version, reason, code, at }: UpdateState) {
  const named = await sql.get<{ name: string }>('SELECT name FROM agents WHERE id = ?', agent)
  return raise(sql, deps, {
    kind: 'update',
    subject: agent,
    severity: 'warning',
    title: `${named?.name ?? agent} ${words[phase as keyof typeof words]} release ${version}`,
    reasons: [reason ?? code ?? 'it gave no reason'],
    eventAt: at,
  })
}

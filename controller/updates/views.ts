import type { UpdatePhase } from '../../shared/schemas/update.ts'
import type { Sql } from '../store/port.ts'
import { observe } from './observe.ts'
import { countsOf, type Standing, standingOf } from './plan.ts'
import { gateMs, mayBreak } from './policy.ts'
import { boxesOf, type Rollout } from './rollouts.ts'

export type RingView = {
  name: string
  state: 'ended' | 'open' | 'gate' | 'to come'
  boxes: number
  confirmed: number
  atWork: number
  late: number
  broken: number
  mayBreak: number
}
export type BoxView = {
  agent: string
  name: string
  ring: string
  standing: Standing
  late: boolean
  phase: UpdatePhase | null
  bytes: number | null
  of: number | null
  /** Of what it told, or what is seen of it. */
  why: string[]
}
export type RolloutView = Omit<Rollout, 'ring' | 'ringMs' | 'gateMs' | 'watchedMs' | 'lookedAt'> & {
  rings: RingView[]
  /** Minutes of the gate that are still to be watched; null where none runs. */
  gateLeftMinutes: number | null
}

/** A rollout as people see it. */
export async function viewOf(sql: Sql, rollout: Rollout): Promise<RolloutView> {
  const { progress, boxes } = await observe(sql, rollout)
  const { ring, ringMs: _ringMs, gateMs: gate, watchedMs, lookedAt: _lookedAt, ...rest } = rollout
  const rings = rollout.policy.rings.map(({ name }, i): RingView => {
    const here = boxes.filter((box) => box.ring === i)
    const { size, confirmed, broken, atRisk } = countsOf(here, progress)
    const ended = i < ring || rollout.status === 'done'
    return {
      name,
      state: ended ? 'ended' : i > ring ? 'to come' : gate === null ? 'open' : 'gate',
      boxes: size,
      confirmed,
      atWork: atRisk,
      late: here.filter((box) => box.late && ['waiting', 'at-risk'].includes(standingOf(box, progress))).length,
      broken,
      mayBreak: mayBreak(rollout.policy, size),
    }
  })
  const running = rollout.status === 'running' && gate !== null
  const left = running ? Math.max(0, gateMs(rollout.policy) - (watchedMs - gate)) / 60_000 : null
  return { ...rest, rings, gateLeftMinutes: left === null ? null : Math.ceil(left) }
}

/** Its boxes, those first of which there is something to say. */
export async function boxViewsOf(sql: Sql, rollout: Rollout): Promise<BoxView[]> {
  const { progress, boxes } = await observe(sql, rollout)
  const told = new Map((await boxesOf(sql, rollout.id)).map((box) => [box.agent, box]))
  const names = new Map(
    (await sql.all<{ id: string; name: string }>('SELECT id, name FROM agents')).map(({ id, name }) => [id, name]),
  )
  const order: readonly Standing[] = ['broken', 'unwell', 'at-risk', 'waiting', 'confirmed']
  return boxes
    .map((box): BoxView => {
      const { phase = null, bytes = null, of = null, reason, code } = told.get(box.agent) ?? {}
      const standing = standingOf(box, progress)
      const why = [reason ?? code].filter((one) => one != null)
      return {
        agent: box.agent,
        name: names.get(box.agent) ?? box.agent,
        ring: rollout.policy.rings[box.ring]?.name ?? String(box.ring),
        standing,
        late: box.late,
        ...{ phase, bytes, of },
        why: [
          ...why,
          ...(standing === 'broken' && why.length === 0 && phase !== 'confirmed' ? ['it told no outcome in time'] : []),
          ...(['unwell', 'broken'].includes(standing) ? box.troubles : []),
          ...(standing === 'waiting' && !box.online ? ['it is not connected'] : []),
        ],
      }
    })
    .sort((a, b) => order.indexOf(a.standing) - order.indexOf(b.standing) || a.name.localeCompare(b.name))
}

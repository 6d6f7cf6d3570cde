import { isoNow } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import { settle } from '../alerts/index.ts'
import type { Deps } from '../deps.ts'
import type { Sql } from '../store/port.ts'
import { execute } from './execute.ts'
import { makeRollback, makeRollout, type Planned, type TagsOf } from './making.ts'
import { observe } from './observe.ts'
import { takeBack } from './plan.ts'
import type { RolloutPolicy } from './policy.ts'
import { findRollout, type Rollout, type RolloutStatus, updateRollout } from './rollouts.ts'

export type Changed = { rollout: Rollout; agents: string[]; alert?: string }

/**
 * What people do to rollouts; each in the caller's transaction, who tells of `agents` and `alert` after the commit.
 *
 *   plan -> planned -- start --> running <-- pause, resume --> paused        any -- abort --> aborted
 */
export function makeRolloutActions({ clock }: Pick<Deps, 'clock'>, tagsOf: TagsOf) {
  const at = () => isoNow(clock)

  async function mustBe(sql: Sql, what: string, statuses: readonly RolloutStatus[], verb: string): Promise<Rollout> {
    const rollout = await findRollout(sql, what)
    if (!statuses.includes(rollout.status))
      throw new MarshlightError('CONFLICT', {
        what: `the rollout is ${rollout.status}, and cannot be ${verb}`,
        next: `See \`marshlight updates status ${rollout.id.slice(-8)}\`.`,
      })
    return rollout
  }

  /** Boxes that have not begun are left as they are. */
  async function stopOrders(sql: Sql, rollout: Rollout): Promise<string[]> {
    const { boxes } = await observe(sql, rollout)
    const agents: string[] = []
    for (const step of takeBack(boxes)) agents.push(...(await execute(step, { sql, rollout, at: at() })))
    return agents
  }

  async function changed(sql: Sql, id: string, agents: string[], settled?: string): Promise<Changed> {
    const alert =
      settled === undefined ? undefined : await settle(sql, clock, { kind: 'update', subject: id, why: settled })
    return { rollout: await findRollout(sql, id), agents, ...(alert !== undefined && { alert }) }
  }

  return {
    plan: (sql: Sql, wish: { version: string; policy: RolloutPolicy }): Promise<Planned> =>
      makeRollout(sql, { ...wish, id: newId(clock.now()), at: at() }, tagsOf),

    async start(sql: Sql, what: string): Promise<Changed> {
      const { id } = await mustBe(sql, what, ['planned'], 'started')
      await mustBeAlone(sql, id)
      await updateRollout(sql, id, { status: 'running', startedAt: at(), lookedAt: null })
      return changed(sql, id, [])
    },

    async pause(sql: Sql, what: string): Promise<Changed> {
      const rollout = await mustBe(sql, what, ['running'], 'paused')
      const agents = await stopOrders(sql, rollout)
      await updateRollout(sql, rollout.id, { status: 'paused', why: 'by an administrator' })
      return changed(sql, rollout.id, agents)
    },

    /** Its ring waits once more for who was not there, and boxes that were not well get their time again. */
    async resume(sql: Sql, what: string, tolerate?: number): Promise<Changed> {
      const { id, watchedMs, policy } = await mustBe(sql, what, ['paused'], 'resumed')
      await mustBeAlone(sql, id)
      const again = { status: 'running', why: null, ringMs: watchedMs, gateMs: null, lookedAt: null } as const
      await updateRollout(sql, id, { ...again, ...(tolerate !== undefined && { policy: { ...policy, tolerate } }) })
      await sql.run('UPDATE rollout_boxes SET unwell_ms = NULL, late = 0 WHERE rollout = ?', id)
      // Taken back while it began, so that it gave up: it begins again.
      await sql.run(
        "UPDATE rollout_boxes SET phase = NULL WHERE rollout = ? AND ordered = 'none' AND phase = 'installing'",
        id,
      )
      return changed(sql, id, [], 'the rollout was resumed')
    },

    async abort(sql: Sql, what: string): Promise<Changed> {
      const rollout = await mustBe(sql, what, ['planned', 'running', 'paused', 'done'], 'aborted')
      return changed(sql, rollout.id, await abort(sql, rollout), 'the rollout was aborted')
    },

    async rollback(sql: Sql, what: string, to?: string) {
      const of = await mustBe(sql, what, ['running', 'paused', 'done', 'aborted'], 'rolled back')
      const made = await makeRollback(sql, { id: newId(clock.now()), of, to, at: at() })
      const agents = of.status === 'aborted' ? [] : await abort(sql, of)
      await updateRollout(sql, made.id, { status: 'running', startedAt: at() })
      return { ...made, ...(await changed(sql, of.id, agents, 'the rollout was rolled back')) }
    },
  }

  async function abort(sql: Sql, rollout: Rollout): Promise<string[]> {
    const agents = await stopOrders(sql, rollout)
    // What has begun ends by itself; what ended has no order any more.
    const ended = await sql.all<{ agent: string }>(
      `SELECT agent FROM rollout_boxes WHERE rollout = ? AND ordered <> 'none' AND phase NOT IN ('installing', 'trial')`,
      rollout.id,
    )
    for (const { agent } of ended) await execute({ do: 'order', agent, order: 'none' }, { sql, rollout, at: at() })
    await updateRollout(sql, rollout.id, { status: 'aborted', why: 'by an administrator', endedAt: at() })
    return [...agents, ...ended.map(({ agent }) => agent)]
  }
}

/** A box takes part in one rollout at a time. Throws CONFLICT. */
async function mustBeAlone(sql: Sql, id: string): Promise<void> {
  const other = await sql.get<{ id: string; version: string; n: number }>(
    `SELECT o.id, o.version, COUNT(*) AS n FROM rollouts o JOIN rollout_boxes b ON b.rollout = o.id
     WHERE o.id <> ? AND o.status IN ('running', 'paused') AND b.agent IN (SELECT agent FROM rollout_boxes WHERE rollout = ?)
     GROUP BY o.id LIMIT 1`,
    id,
    id,
  )
  if (!other) return
  const short = other.id.slice(-8)
  throw new MarshlightError('CONFLICT', {
    what: `${other.n} of its boxes take part in rollout ${short} of ${other.version}`,
    next: `Let it end, or \`marshlight updates abort ${short}\`.`,
  })
}

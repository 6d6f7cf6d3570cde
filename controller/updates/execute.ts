import type { Sql } from '../store/port.ts'
import { beforeOf } from './observe.ts'
import type { Order, Step } from './plan.ts'
import { type Rollout, updateBox, updateRollout } from './rollouts.ts'

type Doing = { sql: Sql; rollout: Rollout; at: string }
type Execute = { [S in Step as S['do']]: (step: S, doing: Doing) => Promise<readonly string[]> }

/** Carries out one step in the caller's transaction; gives the agents whose plans change. */
export function execute(step: Step, doing: Doing): Promise<readonly string[]> {
  const one = steps[step.do] as (step: Step, doing: Doing) => Promise<readonly string[]>
  return one(step, doing)
}

const nobody: readonly string[] = []

const steps: Execute = {
  async open({ ring }, { sql, rollout }) {
    await updateRollout(sql, rollout.id, { ring, ringMs: rollout.watchedMs, gateMs: null })
    return nobody
  },
  order: ({ agent, order }, doing) => orderBox(doing, agent, order),
  async late({ agent }, { sql, rollout }) {
    await updateBox(sql, rollout.id, agent, { late: true })
    return nobody
  },
  async unwell({ agent, since }, { sql, rollout }) {
    await updateBox(sql, rollout.id, agent, { unwellMs: since ?? null })
    return nobody
  },
  async gate({ since }, { sql, rollout }) {
    await updateRollout(sql, rollout.id, { gateMs: since ?? null })
    return nobody
  },
  async pause({ why }, { sql, rollout }) {
    await updateRollout(sql, rollout.id, { status: 'paused', why })
    return nobody
  },
  /** Whoever was late installs when it comes. */
  async finish(_step, doing) {
    const { sql, rollout, at } = doing
    await updateRollout(sql, rollout.id, { status: 'done', endedAt: at })
    const waiting = await sql.all<{ agent: string }>(
      `SELECT agent FROM rollout_boxes WHERE rollout = ? AND ordered <> 'install' AND (phase IS NULL OR phase IN ('fetching', 'fetched'))`,
      rollout.id,
    )
    for (const { agent } of waiting) await orderBox(doing, agent, 'install')
    return waiting.map(({ agent }) => agent)
  },
}

/** An order to install ends what older rollouts ordered: a box that went on must not be shown the release before it. */
async function orderBox({ sql, rollout, at }: Doing, agent: string, order: Order): Promise<readonly string[]> {
  await updateBox(sql, rollout.id, agent, {
    ordered: order,
    orderedAt: at,
    ...(order === 'install' && { orderedMs: rollout.watchedMs, before: await beforeOf(sql, agent), unwellMs: null }),
  })
  if (order === 'install')
    await sql.run("UPDATE rollout_boxes SET ordered = 'none' WHERE agent = ? AND rollout <> ?", agent, rollout.id)
  return [agent]
}

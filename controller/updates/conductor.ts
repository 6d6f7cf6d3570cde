import { isoNow } from '../../shared/clock.ts'
import type { Part } from '../../shared/lifecycle.ts'
import { makeRounds } from '../../shared/rounds.ts'
import { raise } from '../alerts/index.ts'
import type { Deps } from '../deps.ts'
import type { Sql } from '../store/port.ts'
import { execute } from './execute.ts'
import { observe } from './observe.ts'
import { plan, type Step } from './plan.ts'
import { findRelease } from './releases.ts'
import { ringForNew } from './rings.ts'
import { insertBox, listRollouts, type Rollout, updateRollout } from './rollouts.ts'

type ConductorDeps = Pick<Deps, 'store' | 'bus' | 'clock' | 'config' | 'log'>

const everyMs = 5000
const idleMs = 60_000
/** Between two looks; what boxes tell meanwhile is looked at together. */
const leastMs = 200
/** A longer gap was not watched, and counts as so much. */
const mostGapMs = 60_000
/** Looks of one round; each finds what the steps of the one before made of it. */
const mostLooks = 20

/**
 * Brings rollouts on: observe -> plan -> execute, until nothing is to be done, in one transaction a rollout. All it knows
 * stands in the database, so that a controller that ends anywhere goes on from there; plans are composed once more at a
 * start, and bring boxes what the last transaction ordered.
 */
export function makeRolloutConductor(deps: ConductorDeps): Part & { look(): Promise<void> } {
  const { store, bus, clock, log } = deps
  let last = Number.NEGATIVE_INFINITY

  /** Brings every running rollout as far as it goes now. */
  async function look(): Promise<void> {
    for (const { id } of await listRollouts(store, ['running'])) {
      const { agents, alert, steps } = await store.tx((sql) => bring(sql, id))
      if (steps.some(({ do: what }) => what !== 'order'))
        log.info({ rollout: id, steps: wordsOf(steps) }, 'a rollout moved')
      if (agents.length > 0) bus.emit({ name: 'plan-changed', agents })
      if (alert) bus.emit({ name: 'alert', id: alert })
      if (steps.some(({ do: what }) => what === 'pause' || what === 'finish')) bus.emit({ name: 'rollouts-changed' })
    }
  }

  async function bring(sql: Sql, id: string): Promise<{ agents: string[]; alert?: string; steps: Step[] }> {
    const agents = new Set<string>()
    const done: Step[] = []
    let rollout = await readRunning(sql, id)
    if (!rollout) return { agents: [], steps: [] }
    await watch(sql, rollout)
    await letNewIn(sql, rollout)
    for (let i = 0; i < mostLooks; i++) {
      rollout = await readRunning(sql, id)
      if (!rollout) break
      const { progress, boxes } = await observe(sql, rollout)
      const steps = plan(progress, boxes)
      if (steps.length === 0) break
      for (const step of steps)
        for (const agent of await execute(step, { sql, rollout, at: isoNow(clock) })) agents.add(agent)
      done.push(...steps)
      const pause = steps.find((step) => step.do === 'pause')
      if (pause) return { agents: [...agents], ...(await tell(sql, rollout, pause.why)), steps: done }
    }
    return { agents: [...agents], steps: done }
  }

  async function watch(sql: Sql, { id, watchedMs, lookedAt }: Rollout): Promise<void> {
    const gap = lookedAt === null ? 0 : clock.now() - Date.parse(lookedAt)
    const counted = Math.min(Math.max(gap, 0), mostGapMs)
    await updateRollout(sql, id, { watchedMs: watchedMs + counted, lookedAt: isoNow(clock) })
  }

  async function tell(sql: Sql, { id, version }: Rollout, why: string): Promise<{ alert?: string }> {
    const alert = await raise(sql, deps, {
      kind: 'update',
      subject: id,
      severity: 'high',
      title: `the rollout of ${version} paused`,
      reasons: [why, `next: \`marshlight updates status ${id.slice(-8)}\`, then resume, abort or rollback`],
    })
    return alert ? { alert: alert.id } : {}
  }

  async function round(): Promise<number> {
    const tooSoon = last + leastMs - clock.now()
    if (tooSoon > 0 && tooSoon <= leastMs) return tooSoon
    await look()
    last = clock.now()
    return (await listRollouts(store, ['running'])).length > 0 ? everyMs : idleMs
  }

  return {
    ...makeRounds({
      name: 'rollouts',
      clock,
      log,
      failure: 'rollouts could not be brought on; tried again',
      afterFailureMs: everyMs,
      round,
      listen(wake) {
        const offs = [bus.on('rollouts-changed', wake), bus.on('presence', wake)]
        return () => offs.forEach((off) => void off())
      },
    }),
    look,
  }
}

const readRunning = async (sql: Sql, id: string): Promise<Rollout | undefined> =>
  (await listRollouts(sql, ['running'])).find((one) => one.id === id)

/** Who enrolled since, where the last ring is for everybody. */
async function letNewIn(sql: Sql, { id, version, policy, madeAt }: Rollout): Promise<void> {
  const ring = ringForNew(policy.rings)
  const archs = (await findRelease(sql, version)).manifest.parts.map(({ arch }) => arch)
  if (ring === undefined) return
  const added = await sql.all<{ agent: string }>(
    `SELECT a.id AS agent FROM agents a JOIN agent_running r ON r.agent = a.id WHERE a.status = 'enrolled' AND a.enrolled_at >= ?
       AND json_extract(r.body, '$.arch') IN (SELECT value FROM json_each(?))
     AND NOT EXISTS (SELECT 1 FROM rollout_boxes b WHERE b.rollout = ? AND b.agent = a.id)`,
    madeAt,
    JSON.stringify(archs),
    id,
  )
  for (const { agent } of added) await insertBox(sql, id, agent, ring)
}

const wordsOf = (steps: readonly Step[]): string =>
  [...new Set(steps.map((step) => (step.do === 'pause' ? `pause: ${step.why}` : step.do)))].join(', ')

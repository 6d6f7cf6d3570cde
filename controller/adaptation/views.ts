import { MarshlightError } from '../../shared/errors.ts'
import type { Random } from '../../shared/random.ts'
import type { Drift, DriftType, Intensity } from '../../shared/schemas/drift.ts'
import type { ControllerConfig } from '../config.ts'
import type { Arm } from '../drift/bandit.ts'
import { generateDrift } from '../drift/generate.ts'
import type { Sql } from '../store/port.ts'
import { assign } from './assign.ts'
import {
  type Assignment,
  assignmentOf,
  insertAssignment,
  lastChange,
  madeSince,
  noteChange,
  noteRefusal,
  standing,
} from './assignments.ts'
import { type AttackerClass, attackerClasses } from './attacker-class.ts'
import { readBeliefs } from './beliefs.ts'
import { conductOf, portOf } from './conduct.ts'
import { armsFelt, driftFelt } from './felt.ts'
import type { AdaptationPorts } from './ports.ts'
import { armsWithin, judge, type Verdict } from './rails.ts'

/** `service`: at which the source is, so that it is given what it can feel there. */
export type Where = { source: string; decoy: string; nowMs: number; service: string }
type Tools = { config: ControllerConfig; random: Random; ports: AdaptationPorts }

const hourMs = 3_600_000
const iso = (ms: number) => new Date(ms).toISOString()

/**
 * What attackers are given, and the changes of it.
 *
 *   a source begins --greet--> rails? --no--> nothing, and it counts for neither group
 *                                `--yes--> what was assigned to it, or assign() --> its view of that decoy
 *   its conduct    --move---> rails? --> the view at every decoy where it has one: an attacker sees one machine
 *
 * Invariant: the rails are asked before the lot is drawn, and alike for both groups; else they would choose who is
 * compared with whom.
 */
export function makeViews({ config: { adaptation: rules }, random, ports }: Tools) {
  async function judged(sql: Sql, kind: 'view' | 'move', { source, decoy, nowMs }: Where): Promise<Verdict> {
    const madeInLastHour = await madeSince(sql, decoy, iso(nowMs - hourMs))
    // In a flood of sources this is what refuses: nothing else is read for each of them.
    const held = madeInLastHour >= rules.changesPerHour ? [] : await ports.inForce(sql, decoy)
    const views = held.filter((one) => one.source !== undefined)
    const lastMs = await lastChange(sql, { source, kind: 'move' })
    return judge(
      {
        kind,
        nowMs,
        madeInLastHour,
        views: views.filter((one) => one.source !== source).length,
        ...(lastMs !== undefined && { lastMs }),
        byHand: held.some((one) => one.by === 'admin' && (one.source === undefined || one.source === source)),
      },
      rules,
    )
  }

  /** The assignment under which a visit begins, with the agents whose plans change; undefined where the rails refuse. */
  async function greet(sql: Sql, where: Where): Promise<{ assignment: Assignment; agents: string[] } | undefined> {
    const { source, decoy, nowMs } = where
    const known = await standing(sql, source, iso(nowMs))
    if (known && (await isMet(sql, known, decoy))) return { assignment: known, agents: [] }
    const verdict = await judged(sql, 'view', where)
    if (!verdict.ok) {
      await noteRefusal(sql, { at: iso(nowMs), decoy, source, because: verdict.why }, iso(nowMs - hourMs))
      return undefined
    }
    const assignment = known ?? (await draw(sql, where))
    return { assignment, agents: await give(sql, assignment, where, 'view', assignment.because) }
  }

  async function draw(sql: Sql, { source, nowMs, service }: Where): Promise<Assignment> {
    const beliefs = new Map<AttackerClass, Awaited<ReturnType<typeof readBeliefs>>>()
    for (const one of attackerClasses) beliefs.set(one, await readBeliefs(sql, one))
    const conduct = await conductBefore(sql, source)
    const drawn = assign({ conduct, service, beliefsOf: (one) => beliefs.get(one) ?? {} }, random, rules)
    return insertAssignment(sql, drawn, {
      source,
      seed: Math.floor(random() * 2 ** 48).toString(36),
      at: iso(nowMs),
      until: iso(nowMs + rules.keepHours * hourMs),
    })
  }

  /** Where an arm is none there is nothing to give, unless the source had something. */
  async function give(
    sql: Sql,
    assignment: Assignment,
    { source, decoy, nowMs, service }: Where,
    kind: 'view' | 'move',
    because: string,
  ): Promise<string[]> {
    const { shown, until, seed } = assignment
    const had = (await ports.inForce(sql, decoy)).some((one) => one.source === source)
    const at = iso(nowMs)
    if (shown === 'none' && !had) return []
    const reason = `adaptation: ${because}`
    const { agent } =
      shown === 'none'
        ? await ports.clearDrift(sql, { decoy, of: { source }, at, why: reason })
        : await ports.setDrift(sql, {
            ...{ decoy, source, by: 'adaptation', reason, at, until },
            drift: await driftOf(sql, { decoy, service }, shown, seed),
          })
    await noteChange(sql, { at, decoy, source, kind, arm: shown, because })
    return [agent]
  }

  /** Relative to what is usual at that service; another that can be felt there in the place of one that cannot. */
  async function driftOf(
    sql: Sql,
    { decoy, service }: Pick<Where, 'decoy' | 'service'>,
    arm: Exclude<Arm, 'none'>,
    seed: string,
  ): Promise<Drift> {
    const baseline = await ports.baselineOf(sql, decoy, await portOf(sql, decoy, service))
    const [type, intensity] = arm.split('.') as [DriftType, Intensity]
    return driftFelt(baseline, arm, seed, service) ?? generateDrift(baseline, type, intensity, seed)
  }

  /** Whether the source meets at this decoy what was assigned to it: the view stands, or none is called for. */
  async function isMet(sql: Sql, { source, shown, id }: Assignment, decoy: string): Promise<boolean> {
    const held = await ports.inForce(sql, decoy)
    if (held.some((one) => one.by === 'admin' && (one.source === undefined || one.source === source))) return false
    const own = held.some((one) => one.source === source)
    if (shown !== 'none') return own
    const been = await sql.get(
      'SELECT 1 AS one FROM adaptation_visits WHERE assignment = ? AND decoy = ? LIMIT 1',
      id,
      decoy,
    )
    return been !== undefined && !own
  }

  /** Another arm for a source, at every decoy where it was; the agents whose plans change. Nothing where the rails refuse. */
  async function move(sql: Sql, id: number, to: Arm, where: Where, because: string): Promise<string[]> {
    const assignment = await assignmentOf(sql, id)
    if (!assignment || assignment.shown === to || assignment.until <= iso(where.nowMs)) return []
    if (!armsFelt(armsWithin([to], rules), where.service).includes(to)) return []
    const verdict = await judged(sql, 'move', where)
    if (!verdict.ok) {
      const said = { at: iso(where.nowMs), decoy: where.decoy, source: where.source, because: `${verdict.why}: ${to}` }
      await noteRefusal(sql, said, iso(where.nowMs - hourMs))
      return []
    }
    await sql.run('UPDATE adaptation_assignments SET shown = ? WHERE id = ?', to, id)
    const agents: string[] = []
    const rows = await sql.all<{ decoy: string; service: string }>(
      `SELECT v.decoy, v.service, MAX(v.id) FROM adaptation_visits v JOIN decoys d ON d.id = v.decoy
       WHERE v.assignment = ? AND d.status = 'wanted' GROUP BY v.decoy ORDER BY v.decoy`,
      id,
    )
    for (const { decoy, service } of rows) {
      const at = { ...where, decoy, service }
      if (decoy !== where.decoy && !(await judged(sql, 'view', at)).ok) continue
      agents.push(...(await give(sql, { ...assignment, shown: to }, at, 'move', because)))
    }
    return agents
  }

  /** Takes back every view that was given, and ends what was assigned; the agents whose plans change. */
  async function withdraw(sql: Sql, nowMs: number): Promise<string[]> {
    const at = iso(nowMs)
    const given = await sql.all<{ source: string; decoy: string }>(
      `SELECT DISTINCT v.source, v.decoy FROM adaptation_assignments a JOIN adaptation_visits v ON v.assignment = a.id
       JOIN decoys d ON d.id = v.decoy WHERE a.until > ? AND d.status = 'wanted'`,
      at,
    )
    const agents = new Set<string>()
    for (const { source, decoy } of given) {
      const held = await ports.inForce(sql, decoy)
      if (!held.some((one) => one.source === source && one.by === 'adaptation')) continue
      agents.add((await ports.clearDrift(sql, { decoy, of: { source }, at, why: 'adaptation was switched off' })).agent)
    }
    await sql.run('UPDATE adaptation_assignments SET until = ? WHERE until > ?', at, at)
    return [...agents].sort()
  }

  return { greet, move, withdraw }
}

export type Views = ReturnType<typeof makeViews>

/** The conduct without the session that just began, of which nothing may be known yet. */
async function conductBefore(sql: Sql, source: string) {
  const conduct = await conductOf(sql, source)
  const isNew = conduct.commands.length === 0 && conduct.tries === 0 && conduct.sessions <= 1
  return isNew ? { ...conduct, sessions: 0 } : conduct
}

/** Refusals of other rooms are no failure of ours: the source goes on as it was. */
export async function unlessRefused<T>(sql: Sql, work: () => Promise<T>, otherwise: T): Promise<T> {
  await sql.run('SAVEPOINT adaptation')
  try {
    const done = await work()
    await sql.run('RELEASE adaptation')
    return done
  } catch (error) {
    await sql.run('ROLLBACK TO adaptation')
    await sql.run('RELEASE adaptation')
    if (error instanceof MarshlightError) return otherwise
    throw error
  }
}

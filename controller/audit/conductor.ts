import { isoNow } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import { makeRounds } from '../../shared/rounds.ts'
import type { Reply } from '../../shared/schemas/desired-state.ts'
import type { Deps, Requests } from '../deps.ts'
import type { Sql } from '../store/port.ts'
import { dueNow } from './due.ts'
import { auditSeconds, orderFor, touchSeconds } from './order.ts'
import { changeRun, openRuns, queueRun, type Run, readRun } from './runs.ts'
import { standings } from './standings.ts'
import { touchLost } from './touches.ts'

const everyMs = 1000
/** How often what is due is looked for. */
const dueEveryMs = 5000
/** After its time a run may still come through: the spool of an appliance is durable, the way may be slow. */
const graceMs = 30_000
const mostTries = 3

type ConductorDeps = Deps & { requests: Requests }

/**
 * Has audits and touches carried out: what is due and what people asked for, one at a time on each appliance.
 *
 *   due, asked --queueRun--> queued --order, signed request--> running --report, event (projectors)--> done
 *                               ^------ address taken ------------'   '--refused, no answer, too late--> failed
 *
 * All state is in the database: a run of a controller that ended goes on, or is too late, by what stands there.
 */
export function makeConductor(deps: ConductorDeps): Part & { look(): Promise<void> } {
  const { store, bus, clock, config, log, requests } = deps
  const rules = config.decoys.audit
  const busy = new Map<string, Promise<void>>()
  let ring = () => {}
  let dueAt = 0

  async function look(): Promise<void> {
    const now = clock.now()
    if (now >= dueAt) {
      dueAt = now + dueEveryMs
      await queueDue(now)
    }
    const runs = await openRuns(store)
    for (const run of runs)
      if (run.status === 'running' && now > Date.parse(run.untilAt ?? run.createdAt) + graceMs && !busy.has(run.agent))
        await fail(run, 'nothing came of it in time')
    for (const run of runs) {
      if (busy.size >= rules.atOnce) break
      if (run.status !== 'queued' || busy.has(run.agent)) continue
      const done = carryOut(run)
        .catch((error) => log.error({ run: run.id, why: wordsOf(error) }, 'an audit could not be carried out'))
        .finally(() => {
          busy.delete(run.agent)
          ring()
        })
      busy.set(run.agent, done)
    }
  }

  async function queueDue(now: number): Promise<void> {
    const all = rules.enabled ? await standings(store) : []
    const due = dueNow(all, rules, now)
    if (due.length === 0) return
    await store.tx(async (sql) => {
      for (const { decoy, kind, reason } of due) {
        const where = all.find((one) => one.decoy === decoy)
        if (where) await queueRun(sql, { kind, reason, decoy: { ...where, id: decoy } }, now)
      }
    })
  }

  async function carryOut(run: Run): Promise<void> {
    let reply: Reply
    try {
      const order = await store.tx((sql) => orderFor(sql, run, deps, clock.now()))
      log.info({ run: run.id, kind: run.kind, decoy: run.decoy, because: run.reason }, 'looking at a decoy')
      const timeoutMs = (run.kind === 'audit' ? auditSeconds : touchSeconds) * 1000
      reply = await requests.send(run.agent, order, { timeoutMs })
    } catch (error) {
      if (!(error instanceof MarshlightError)) throw error
      // A request that nobody answered may still have been carried out: its time decides.
      if (error.code === 'TIMEOUT') return
      return fail(run, error.message)
    }
    if (reply.ok) return
    const why = reply.error?.message ?? 'no reason given'
    if (reply.error?.code === 'ADDRESS_TAKEN' && run.tries + 1 < mostTries)
      await store.tx((sql) => changeRun(sql, run.id, { status: 'queued' }))
    else await fail(run, why)
  }

  /** A touch that fails is an alert; an audit that fails says nothing of the decoy, and is tried again. */
  async function fail(run: Run, why: string): Promise<void> {
    const alert = await store.tx(async (sql: Sql) => {
      const now = await readRun(sql, run.id)
      if (!now || now.status === 'done' || now.status === 'failed') return undefined
      await changeRun(sql, run.id, { status: 'failed', ended_at: isoNow(clock), why: why.slice(0, 512) })
      return run.kind === 'touch' ? touchLost(sql, deps, run.decoy, why) : undefined
    })
    log.warn({ run: run.id, kind: run.kind, decoy: run.decoy, why }, 'a look at a decoy failed')
    if (alert) bus.emit({ name: 'alert', id: alert.id })
  }

  const rounds = makeRounds({
    name: 'audits',
    clock,
    log,
    async round() {
      await look()
      return everyMs
    },
    failure: 'audits could not be looked after; it tries again',
    afterFailureMs: everyMs,
    listen(wake) {
      ring = wake
      return bus.on('audit-asked', wake)
    },
  })
  // Requests under way are not waited for when it stops: what they bring comes by the spool.
  return { ...rounds, look }
}

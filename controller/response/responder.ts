import { isoNow } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Deps } from '../deps.ts'
import { type CrossingRow, type CrossingTaker, takeCrossings } from '../risk/index.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent } from '../work/port.ts'
import type { Blocks } from './blocks.ts'
import { type Decision, type DecisionKind, insertDecision } from './decisions.ts'

/** What decoys can do for a response. Each works in the caller's transaction and throws a MarshlightError to refuse. */
export type DecoyPorts = {
  /** Adds one decoy to a segment; what was done, which is kept to undo it by. */
  deployOne(sql: Sql, segment: string, reason: string): Promise<unknown>
  /** Gives a decoy another persona or settings, while its sessions stay open. */
  reconfigure(sql: Sql, decoy: string, reason: string): Promise<unknown>
  /** Told when one of them refused, in the same transaction; what it returns is emitted after the commit. */
  refused?(sql: Sql, what: { kind: DecisionKind; target: string; code: string; why: string }): Promise<BusEvent[]>
}

/**
 * Turns crossings of thresholds into decisions.
 *
 *   risk-crossed -> one transaction: crossings not taken yet -> decisions -> commit -> blocks-changed, plan-changed
 *
 * Blocks come first, in a transaction of their own turn: nothing that a deployment takes may delay them.
 */
export function makeResponder(
  deps: Pick<Deps, 'store' | 'bus' | 'clock' | 'log' | 'config'>,
  blocks: Blocks,
  ports: DecoyPorts,
): Part & { respond(): Promise<void> } {
  const { store, bus, clock, log, config } = deps
  const off: (() => void)[] = []
  let turn = Promise.resolve()

  const respond = (): Promise<void> => {
    turn = turn.then(once, once)
    return turn
  }

  async function once(): Promise<void> {
    await inOneCommit('response.blocks', block)
    await inOneCommit('response.decoys', act)
  }

  async function inOneCommit(
    worker: CrossingTaker,
    take: (sql: Sql, crossing: CrossingRow) => Promise<BusEvent[]>,
  ): Promise<void> {
    const events = await store.tx(async (sql) => {
      const found: BusEvent[] = []
      for (const crossing of await takeCrossings(sql, worker)) found.push(...(await take(sql, crossing)))
      return found
    })
    for (const event of unique(events)) bus.emit(event)
  }

  async function block(sql: Sql, crossing: CrossingRow): Promise<BusEvent[]> {
    if (crossing.threshold !== 'block') return []
    const { decision, verdict, renewed } = await blocks.block(sql, {
      cidr: `${crossing.source}/32`,
      minutes: config.risk.blockMinutes,
      reason: reasonOf(crossing),
      madeBy: 'risk',
      source: crossing.source,
      evidence: JSON.stringify(crossing.reasons),
      score: crossing.score,
      eventAt: crossing.event_at,
    })
    const words = renewed ? 'renewed' : decision.status
    log.info(
      { decision: decision.id, target: decision.target, why: verdict.ok ? undefined : verdict.why },
      `block ${words}`,
    )
    return decision.status === 'active' ? [{ name: 'blocks-changed' }] : []
  }

  async function act(sql: Sql, crossing: CrossingRow): Promise<BusEvent[]> {
    const { threshold, again, segment, decoy } = crossing
    if (again) return []
    if (threshold === 'deploy' && segment !== null)
      return await decide(sql, crossing, 'deploy', segment, () => ports.deployOne(sql, segment, reasonOf(crossing)))
    if (threshold === 'reconfigure' && decoy !== null)
      return await decide(sql, crossing, 'reconfigure', decoy, () => ports.reconfigure(sql, decoy, reasonOf(crossing)))
    return []
  }

  async function decide(
    sql: Sql,
    crossing: CrossingRow,
    kind: DecisionKind,
    target: string,
    work: () => Promise<unknown>,
  ): Promise<BusEvent[]> {
    const since = new Date(clock.now() - config.response.cooldownMinutes * 60_000).toISOString()
    const recent = await sql.get<{ id: string }>(
      `SELECT id FROM decisions WHERE kind = ? AND target = ? AND status IN ('active', 'undone') AND made_at > ? LIMIT 1`,
      kind,
      target,
      since,
    )
    if (recent) return []
    let status: Decision['status'] = 'active'
    let outcome: string
    let code = ''
    await sql.run('SAVEPOINT response')
    try {
      outcome = JSON.stringify((await work()) ?? null)
    } catch (error) {
      await sql.run('ROLLBACK TO response')
      status = 'refused'
      outcome = wordsOf(error)
      code = error instanceof MarshlightError ? error.code : 'INTERNAL'
    }
    await sql.run('RELEASE response')
    await insertDecision(sql, {
      id: newId(clock.now()),
      kind,
      target,
      source: crossing.source,
      reason: reasonOf(crossing),
      evidence: JSON.stringify(crossing.reasons),
      score: crossing.score,
      made_at: isoNow(clock),
      expires_at: new Date(clock.now() + config.response.decoyHours * 3_600_000).toISOString(),
      status,
      made_by: 'risk',
      event_at: crossing.event_at,
      ended_at: null,
      ended_why: null,
      outcome,
    })
    log.info({ kind, target, source: crossing.source, status, outcome }, 'decided on decoys')
    if (status !== 'active') return (await ports.refused?.(sql, { kind, target, code, why: outcome })) ?? []
    const agents = await sql.all<{ agent: string }>(
      kind === 'deploy'
        ? 'SELECT agent FROM agent_segments WHERE segment = ?'
        : 'SELECT DISTINCT agent FROM sessions WHERE decoy = ?',
      target,
    )
    return [{ name: 'plan-changed', agents: agents.map(({ agent }) => agent) }]
  }

  return {
    name: 'responses',
    respond,
    async start() {
      const wake = () =>
        void respond().catch((error) =>
          log.error({ err: error }, 'a response failed; it is tried at the next crossing'),
        )
      off.push(bus.on('risk-crossed', wake))
      await respond()
    },
    async stop() {
      for (const one of off.splice(0)) one()
      await turn.catch(() => undefined)
    },
  }
}

const reasonOf = ({ score, reasons, source }: CrossingRow) =>
  `${source} has risk ${Math.round(score)}: ${reasons
    .slice(0, 3)
    .map(({ words }) => words)
    .join('; ')}`.slice(0, 500)

function unique(events: readonly BusEvent[]): BusEvent[] {
  return [...new Map(events.map((event) => [JSON.stringify(event), event])).values()]
}

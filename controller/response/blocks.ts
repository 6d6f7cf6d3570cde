import type { Clock } from '../../shared/clock.ts'
import { isoNow } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import { canonicalCidr } from '../../shared/network.ts'
import { type BlockEntry, mostBlocks, mostNeverBlock } from '../../shared/schemas/desired-state.ts'
import type { ControllerConfig } from '../config.ts'
import type { Sql } from '../store/port.ts'
import { activeBlocks, type Decision, endDecision, insertDecision } from './decisions.ts'
import { machineAddresses, protectedAddresses, protectedFor } from './never-block.ts'
import { judgeBlock, type Verdict, withoutNested } from './rails.ts'

export type BlockDeps = { config: ControllerConfig; clock: Clock; ownAddresses?: () => readonly string[] }
export type BlockWish = {
  cidr: string
  minutes: number
  reason: string
  madeBy: 'risk' | 'admin'
  source?: string
  evidence?: string
  score?: number
  eventAt?: string
}
export type BlockResult = { decision: Decision; verdict: Verdict; renewed: boolean }

export function makeBlocks(deps: BlockDeps) {
  const { config, clock } = deps
  const surroundings = { config, ownAddresses: deps.ownAddresses ?? forASecond(machineAddresses, clock) }

  async function judge(sql: Sql, { cidr, madeBy }: BlockWish): Promise<Verdict> {
    const hourAgo = new Date(clock.now() - 3_600_000).toISOString()
    const made = await sql.get<{ n: number }>(
      `SELECT COUNT(*) AS n FROM decisions WHERE kind = 'block' AND made_by = 'risk' AND status <> 'refused' AND status <> 'proposed' AND made_at > ?`,
      hourAgo,
    )
    return judgeBlock(
      { cidr, madeBy },
      {
        protected: await protectedAddresses(sql, surroundings),
        madeInLastHour: made?.n ?? 0,
        maxPerHour: config.response.maxBlocksPerHour,
      },
    )
  }

  /**
   * Blocks a network, or renews the block it is under, within a transaction of the caller, who emits `blocks-changed`
   * after its commit. What the rails refuse becomes a decision of status `refused` when risk asked for it, and throws
   * NEVER_BLOCK or USAGE when an administrator did.
   */
  async function block(sql: Sql, wish: BlockWish, dryRun = false): Promise<BlockResult> {
    const cidr = canonicalCidr(wish.cidr)
    const verdict = await judge(sql, { ...wish, cidr })
    if (!verdict.ok && wish.madeBy === 'admin') throw refusal(cidr, verdict)
    const expires_at = new Date(clock.now() + wish.minutes * 60_000).toISOString()
    const held = (await activeBlocks(sql, isoNow(clock))).find(({ target }) => target === cidr)
    if (held && verdict.ok) {
      // A renewal only lengthens: what an administrator set for a day is not cut to an hour.
      const until = held.expires_at !== null && held.expires_at > expires_at ? held.expires_at : expires_at
      if (!dryRun) await sql.run('UPDATE decisions SET expires_at = ? WHERE id = ?', until, held.id)
      return { decision: { ...held, expires_at: until }, verdict, renewed: true }
    }
    const proposed = wish.madeBy === 'risk' && (!config.risk.autoBlock || (!verdict.ok && verdict.code === 'too-many'))
    const decision: Decision = {
      id: newId(clock.now()),
      kind: 'block',
      target: cidr,
      source: wish.source ?? null,
      reason: wish.reason,
      evidence: wish.evidence ?? '[]',
      score: wish.score ?? null,
      made_at: isoNow(clock),
      expires_at,
      status: proposed ? 'proposed' : verdict.ok ? 'active' : 'refused',
      made_by: wish.madeBy,
      event_at: wish.eventAt ?? null,
      ended_at: null,
      ended_why: null,
      outcome: verdict.ok ? null : verdict.why,
    }
    if (!dryRun && !(await isRepeated(sql, decision))) await insertDecision(sql, decision)
    return { decision, verdict, renewed: false }
  }

  /** Lets a proposed block take effect, from now on, for its whole time. */
  async function accept(sql: Sql, proposal: Decision): Promise<BlockResult> {
    if (proposal.kind !== 'block' || proposal.status !== 'proposed')
      throw new MarshlightError('CONFLICT', {
        what: `the decision ${proposal.id} is ${proposal.status}, not proposed`,
        next: 'List what is proposed with `marshlight blocks ls --status proposed`.',
      })
    const minutes = (Date.parse(proposal.expires_at ?? '') - Date.parse(proposal.made_at)) / 60_000
    const { target: cidr, reason, evidence } = proposal
    const result = await block(sql, {
      cidr,
      minutes,
      reason,
      evidence,
      madeBy: 'admin',
      ...(proposal.source !== null && { source: proposal.source }),
      ...(proposal.score !== null && { score: proposal.score }),
      ...(proposal.event_at !== null && { eventAt: proposal.event_at }),
    })
    await endDecision(sql, proposal.id, {
      status: 'undone',
      at: isoNow(clock),
      why: `accepted as ${result.decision.id}`,
    })
    return result
  }

  /** What an agent's block list shall hold now. */
  async function composeBlocks(sql: Sql, agent: string): Promise<{ entries: BlockEntry[]; neverBlock: string[] }> {
    const blocks = await activeBlocks(sql, isoNow(clock))
    const entries = blocks
      .slice(-mostBlocks)
      .map(({ id, target, expires_at }) => ({ id, cidr: target, until: expires_at ?? '' }))
    return { entries, neverBlock: await neverBlockFor(sql, agent) }
  }

  /** Networks that this agent never blocks: the centre's and the configured ones first, then its surroundings. */
  async function neverBlockFor(sql: Sql, agent: string): Promise<string[]> {
    const safe = await protectedFor(sql, agent, surroundings)
    return withoutNested(safe.map(({ cidr }) => canonicalCidr(cidr))).slice(0, mostNeverBlock)
  }

  /** Ends blocks whose time is over; their number. */
  async function expire(sql: Sql): Promise<number> {
    const now = isoNow(clock)
    const { changes } = await sql.run(
      `UPDATE decisions SET status = 'expired', ended_at = ?, ended_why = 'its time was over'
       WHERE kind = 'block' AND status IN ('active', 'proposed') AND expires_at <= ?`,
      now,
      now,
    )
    return changes
  }

  return { block, accept, composeBlocks, neverBlockFor, expire }
}

export type Blocks = ReturnType<typeof makeBlocks>

/** Asking the kernel for its addresses takes half a millisecond, and lists are composed for hundreds of agents at once. */
function forASecond(ask: () => readonly string[], clock: Clock): () => readonly string[] {
  let held: { at: number; addresses: readonly string[] } | undefined
  return () => {
    const at = clock.now()
    if (!held || Math.abs(at - held.at) >= 1000) held = { at, addresses: ask() }
    return held.addresses
  }
}

/** A refusal or proposal that stands already is not written down again each time the attacker moves. */
async function isRepeated(sql: Sql, { target, status, made_at }: Decision): Promise<boolean> {
  if (status === 'active') return false
  const dayBefore = new Date(Date.parse(made_at) - 86_400_000).toISOString()
  const same = await sql.get(
    `SELECT 1 AS one FROM decisions WHERE kind = 'block' AND target = ? AND status = ? AND made_at > ?`,
    target,
    status,
    dayBefore,
  )
  return same !== undefined
}

function refusal(cidr: string, verdict: Extract<Verdict, { ok: false }>): MarshlightError {
  return verdict.protected
    ? new MarshlightError('NEVER_BLOCK', { cidr, protected: verdict.protected.cidr, why: verdict.protected.why })
    : new MarshlightError('USAGE', { what: `${cidr} cannot be blocked: ${verdict.why}`, command: 'marshlight block' })
}

import { rm } from 'node:fs/promises'
import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { BlockEntry, BlockList } from '../../shared/schemas/desired-state.ts'
import type { Notice } from '../../shared/schemas/state.ts'
import type { Report } from '../spool/port.ts'
import { heldPath, readHeld, writeHeld } from './held-list.ts'
import { disjoint, type Interval } from './intervals.ts'
import { makeKernel } from './kernel.ts'
import { type Nft, systemNft } from './nft.ts'
import { ownPlace } from './own-place.ts'
import { type Protected, type Refused, railed } from './rail.ts'
import type { Role } from './ruleset.ts'

export type { Protected, Role }

export type BlocksOptions = {
  report: Report
  clock: Clock
  log: Log
  role: Role
  /** Cards on whose ingress sources are dropped (role `decoys`). */
  nics: () => Promise<string[]>
  stateDir: string
  /** Networks never blocked beside those in the list; the appliance's own addresses, gateways and resolvers by default. */
  ownPlace?: () => Promise<Protected[]>
  nft?: Nft
  reconcileEverySeconds?: number
}

export interface Blocks extends Part {
  /** Makes this list the one in force. Returns at once; a `document` record tells when the kernel holds it. */
  applyBlocks(list: BlockList): void
  /** Takes our table and file away. Call it stopped. */
  cleanup(): Promise<void>
}

/**
 * Invariants: the latest list wins, lists in between may be skipped; what overlaps a protected network is never applied;
 * `applied` is reported only of what was read back, and names the entries that are not; the kernel itself ends entries, so no agent is needed for expiry.
 */
export function makeBlocks(options: BlocksOptions): Blocks {
  const { report, clock, log, role, nics, stateDir, reconcileEverySeconds = 30 } = options
  const kernel = makeKernel({ nft: options.nft ?? systemNft, role, now: () => clock.now() })
  const ending = new AbortController()
  let latest: BlockList | undefined
  let wake: () => void = () => {}
  let running: Promise<void> | undefined
  let toldOutcome = ''
  let toldRefused = new Set<string>()

  const now = () => isoNow(clock)
  const tell = (level: Notice['level'], code: string, message: string, data: Record<string, unknown> = {}) =>
    report('state', [{ type: 'notice', at: now(), level, code, message: message.slice(0, 1024), data }])

  async function desiredOf(list: BlockList): Promise<Desired> {
    const own = await (options.ownPlace ?? ownPlace)()
    const named = list.neverBlock.map((cidr) => ({ cidr, why: 'the never-block list' }))
    const { allowed, refused, expired } = railed(list.entries, [...own, ...named], clock.now())
    return { intervals: disjoint(allowed), count: allowed.length, refused, expired }
  }

  async function settle(list: BlockList): Promise<void> {
    const persisted = writeHeld(stateDir, list).catch((error: unknown) => {
      log.error(
        { err: error, revision: list.revision },
        'the block list could not be persisted; it holds until a reboot',
      )
    })
    try {
      const desired = await desiredOf(list)
      await kernel.bring(desired.intervals, await cards())
      // Told is what also holds when this process is killed now.
      await persisted
      await tellApplied(list.revision, desired)
    } catch (error) {
      await tellFailure(error, list.revision)
    }
    await persisted
  }

  /** What is in force of a list, and which of its entries are not. */
  async function tellApplied(revision: number, { count, refused, expired }: Desired): Promise<void> {
    toldOutcome = outcomeOf(revision, { refused, expired })
    log.info({ revision, count, refused: refused.length, expired: expired.length }, 'blocks are in force')
    const first = refused[0]
    await report('state', [
      {
        type: 'document',
        at: now(),
        document: 'blocks',
        revision,
        outcome: first && count === 0 ? 'refused' : 'applied',
        count,
        ...(first && { code: 'NEVER_BLOCK', reason: refusalWords(first, refused.length) }),
        ...(first && { refused: refused.slice(0, mostNamed).map(({ entry }) => entry.id) }),
        ...(expired.length > 0 && { expired: expired.slice(0, mostNamed).map(({ id }) => id) }),
      },
    ])
    await tellRefusals(refused)
  }

  async function tellFailure(error: unknown, revision: number): Promise<void> {
    const reason = wordsOf(error).slice(0, 512)
    log.error({ err: error, revision }, 'blocks could not be put in force')
    if (toldOutcome === `${revision} ${reason}`) return
    toldOutcome = `${revision} ${reason}`
    const code = error instanceof MarshlightError ? error.code : 'COMMAND_FAILED'
    const head = { type: 'document' as const, at: now(), document: 'blocks' as const, revision }
    await report('state', [{ ...head, outcome: 'rejected', code, reason }])
  }

  async function tellRefusals(refused: readonly Refused[]): Promise<void> {
    const fresh = refused.filter(({ entry }) => !toldRefused.has(entry.id))
    toldRefused = new Set(refused.map(({ entry }) => entry.id))
    const first = fresh[0]
    if (!first) return
    const entries = fresh.slice(0, 32).map(({ entry, by }) => ({ id: entry.id, cidr: entry.cidr, protected: by.cidr }))
    log.warn({ entries, count: fresh.length }, 'refused to block what is never blocked')
    await tell('warning', 'NEVER_BLOCK', refusalWords(first, fresh.length), { entries, count: fresh.length })
  }

  const cards = async () => (role === 'decoys' ? (await nics()).filter(isCardName) : [])

  /**
   * Compares what the kernel holds with what it shall hold, and mends the difference. What is refused or over may be
   * another than when the list came: an address was added here, or the clock was set. That is told anew.
   */
  async function reconcile(list: BlockList): Promise<void> {
    try {
      const desired = await desiredOf(list)
      const names = await cards()
      const deviation = await kernel.deviation(desired.intervals, names)
      if (deviation) await kernel.bring(desired.intervals, names)
      if (toldOutcome !== outcomeOf(list.revision, desired)) await tellApplied(list.revision, desired)
      if (!deviation) return
      const { steps, chains } = deviation
      log.warn({ entries: steps.length, chains, revision: list.revision }, 'the packet filter was changed; mended')
      await tell('warning', 'BLOCKS_REPAIRED', `the packet filter differed in ${steps.length} entries; mended`, {
        entries: steps.length,
        chains,
        revision: list.revision,
      })
    } catch (error) {
      await tellFailure(error, list.revision)
    }
  }

  /** A report that cannot be stored must not end the keeping of blocks. */
  const guarded = (round: Promise<void>) =>
    round.catch((error: unknown) => log.error({ err: error }, 'a round of blocks could not be told'))

  async function work(signal: AbortSignal): Promise<void> {
    let settled: BlockList | undefined
    while (!signal.aborted) {
      if (latest && latest !== settled) {
        settled = latest
        await guarded(settle(latest))
        continue
      }
      const round = new AbortController()
      wake = () => round.abort()
      // A list that came between the check and this line has to be seen.
      if (latest !== settled) continue
      const elapsed = await clock.sleep(reconcileEverySeconds * 1000, AbortSignal.any([signal, round.signal])).then(
        () => true,
        () => false,
      )
      if (elapsed && settled) await guarded(reconcile(settled))
    }
  }

  return {
    name: 'blocks',
    async start(signal) {
      const { list, damage } = await readHeld(stateDir, clock.now())
      if (damage) {
        log.error(damage, 'the held block list was damaged and set aside')
        await tell('error', 'STATE_CORRUPT', new MarshlightError('STATE_CORRUPT', damage).message, damage)
      }
      latest ??= list
      const until = AbortSignal.any([signal, ending.signal])
      running = work(until).catch((error: unknown) => {
        if (!until.aborted) log.error({ err: error }, 'the block loop ended')
      })
    },
    async stop() {
      ending.abort()
      await running
    },
    applyBlocks(list) {
      latest = list
      wake()
    },
    async cleanup() {
      await kernel.remove()
      await rm(heldPath(stateDir), { force: true })
    },
  }
}

type Desired = { intervals: Interval[]; count: number; refused: Refused[]; expired: BlockEntry[] }

/** As many as the contract of the report takes of each kind. */
const mostNamed = 4096

const outcomeOf = (revision: number, { refused, expired }: Pick<Desired, 'refused' | 'expired'>): string =>
  [revision, ...refused.map(({ entry }) => `r${entry.id}`), ...expired.map(({ id }) => `e${id}`)].join(' ')

const refusalWords = ({ entry, by }: Refused, count: number): string => {
  const words = new MarshlightError('NEVER_BLOCK', { cidr: entry.cidr, protected: by.cidr, why: by.why }).message
  return count > 1 ? `${words}; and ${count - 1} more` : words
}

/** Linux takes nearly anything as a card's name; what could end a quoted string of nft's is not used. */
const isCardName = (name: string): boolean => /^[\w.:@-]{1,15}$/.test(name)

import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { Acknowledgement, StreamName } from '../../shared/schemas/envelope.ts'
import type { Store } from '../store/port.ts'
import type { Bus } from '../work/port.ts'
import { type Committed, commitBatches, type Incoming, type Refusal } from './commit.ts'
import { keepDeadLetters } from './dead-letters.ts'
import { makeFairQueue } from './fair-queue.ts'

export type IngestDeps = {
  store: Store
  bus: Bus
  clock: Clock
  log: Log
  /** Tells an agent how far its stream is committed. Called after the commit. */
  acknowledge(agent: string, ack: Acknowledgement): void
}

/**
 * Takes batches and makes them durable; batches that wait while one commit runs share the next.
 *
 *   accept -> queue -> one transaction for all that wait (bounded) -> acknowledge -> bus 'committed'
 *
 * Invariants: nothing is acknowledged before its commit; batches of one agent are taken in the order they came; agents
 * take turns, so that one with days to tell keeps none waiting; the queue is bounded, by agent and in all (`accept`
 * resolves only when there is room again: that is the backpressure).
 */
export interface Ingest extends Part {
  /** Resolves when the sender may send on. It says nothing about the commit. */
  accept(agent: string, stream: StreamName, payload: Uint8Array): Promise<void>
  /** Keeps a message that is no batch and cannot be used. */
  bury(agent: string, topic: string, why: string, payload: Uint8Array): Promise<void>
  /** Whether so much waits for its commit that nobody else should be let in to bring more. */
  busy(): boolean
  /** Resolves when everything accepted so far was committed, or the part was stopped. */
  idle(): Promise<void>
}

const agentQueueBytes = 4 * 1_048_576
const queueBytes = 64 * 1_048_576
/** From here on newcomers wait. */
const busyBytes = queueBytes / 4
/** A transaction ends at this many bytes, so that acknowledgements stay quick. */
const groupBytes = 2 * 1_048_576
const retryMs = 1000
/** A gap that an agent sends this often, over this long, without going back, is one it cannot fill any more. */
const gapPatience = { times: 4, ms: 10_000 }

export function makeIngest(deps: IngestDeps): Ingest {
  const { store, bus, clock, log } = deps
  const queue = makeFairQueue<Incoming>()
  const held = new Map<string, number>()
  const gaps = new Map<string, { first: number; next: number; times: number; since: number }>()
  const waiting: (() => void)[] = []
  const idlers: (() => void)[] = []
  let total = 0
  let working = false
  let stopped = false
  let halt = new AbortController()

  async function accept(agent: string, stream: StreamName, payload: Uint8Array): Promise<void> {
    if (stopped) return
    queue.push(agent, { agent, stream, payload }, payload.byteLength)
    account(agent, payload.byteLength)
    if (!working) {
      working = true
      // Let what has arrived in the same read join the first transaction.
      setImmediate(() => void work())
    }
    while (!stopped && ((held.get(agent) ?? 0) > agentQueueBytes || total > queueBytes))
      await new Promise<void>((resolve) => waiting.push(resolve))
  }

  function account(agent: string, bytes: number): void {
    total += bytes
    const left = (held.get(agent) ?? 0) + bytes
    if (left > 0) held.set(agent, left)
    else held.delete(agent)
  }

  async function work(): Promise<void> {
    while (queue.length() > 0 && !stopped) {
      await settle(queue.take(groupBytes))
      for (const wake of waiting.splice(0)) wake()
      // SQLite ran on this thread: let sockets have theirs.
      await new Promise((resolve) => setImmediate(resolve))
    }
    working = false
    for (const wake of idlers.splice(0)) wake()
  }

  async function settle(group: Incoming[]): Promise<void> {
    try {
      await commitUntilDone(group)
    } finally {
      for (const { agent, payload } of group) account(agent, -payload.byteLength)
    }
  }

  /** A full disk is waited out: what was not committed was not acknowledged. Anything else is the fault of some batch. */
  async function commitUntilDone(group: Incoming[]): Promise<void> {
    while (!stopped) {
      try {
        publish(await store.tx((sql) => commitBatches(sql, group, isoNow(clock), giveUpGap)))
        return
      } catch (error) {
        if (!isDiskTrouble(error)) return setApart(group, error)
        const trouble = new MarshlightError('DISK_FULL', { path: 'the database' }, { cause: error })
        log.error({ err: trouble, batches: group.length }, 'nothing can be committed; trying again')
        await clock.sleep(retryMs, halt.signal).catch(() => undefined)
      }
    }
  }

  /** One bad batch must not hold up the others. */
  async function setApart(group: Incoming[], error: unknown): Promise<void> {
    if (group.length > 1) {
      for (const one of group) await commitUntilDone([one])
      return
    }
    const [one] = group
    if (!one) return
    log.error({ agent: one.agent, stream: one.stream, err: error }, 'a batch could not be stored; kept as dead letters')
    try {
      publish(await store.tx((sql) => commitBatches(sql, group, isoNow(clock), giveUpGap, wordsOf(error))))
    } catch (second) {
      await bury(one.agent, `up/${one.stream}`, wordsOf(second), one.payload)
    }
  }

  function publish({ acks, refused, sums }: Committed): void {
    for (const { agent, ...ack } of acks) deps.acknowledge(agent, ack)
    for (const { agent, stream, first, next } of refused)
      log.warn({ agent, stream, first, next }, 'a batch leaves a gap; told the agent where we stand')
    if (sums.dead > 0) log.warn({ dead: sums.dead }, 'records that do not fit their schema are kept as dead letters')
    if (sums.committed > 0 || sums.lost > 0) bus.emit({ name: 'committed' })
  }

  /** After a restored backup the agent may have dropped what we now lack: without this it would stand still for ever. */
  function giveUpGap({ agent, stream, epoch, first, next }: Refusal): boolean {
    const key = `${agent} ${stream} ${epoch}`
    const seen = gaps.get(key)
    const now = clock.now()
    if (!seen || seen.first !== first || seen.next !== next) {
      if (gaps.size > 10_000) gaps.clear()
      gaps.set(key, { first, next, times: 1, since: now })
      return false
    }
    seen.times++
    if (seen.times < gapPatience.times || now - seen.since < gapPatience.ms) return false
    gaps.delete(key)
    log.error({ agent, stream, first, next }, 'the agent cannot send these records any more: counted as lost')
    return true
  }

  async function bury(agent: string, topic: string, why: string, payload: Uint8Array): Promise<void> {
    try {
      await store.tx((sql) => keepDeadLetters(sql, [{ agent, topic, why, payload }], isoNow(clock)))
    } catch (error) {
      log.error({ agent, topic, why, err: error }, 'a dead letter could not be kept')
    }
  }

  return {
    name: 'ingest',
    accept,
    bury,
    busy: () => total > busyBytes,
    idle: () => (working ? new Promise((resolve) => idlers.push(resolve)) : Promise.resolve()),
    async start() {
      stopped = false
      halt = new AbortController()
    },
    async stop() {
      stopped = true
      halt.abort()
      if (working) await new Promise<void>((resolve) => idlers.push(resolve))
      queue.clear()
      held.clear()
      total = 0
      for (const wake of waiting.splice(0)) wake()
    },
  }
}

/** SQLite's primary codes for a database that is busy (5), locked (6), read-only (8), failing (10) or full (13). */
const diskTrouble = [5, 6, 8, 10, 13]
const isDiskTrouble = (error: unknown) => diskTrouble.includes(((error as { errcode?: number })?.errcode ?? 0) & 0xff)

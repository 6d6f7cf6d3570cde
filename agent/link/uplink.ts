import { encodeBatch, maxBatchBytes } from '../../shared/batch.ts'
import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import { type Acknowledgement, type StreamName, streamNames } from '../../shared/schemas/envelope.ts'
import type { Spool } from '../spool/port.ts'

export type UplinkDeps = {
  spool: Spool
  clock: Clock
  log: Log
  publish: (stream: StreamName, payload: Buffer) => void
  /** Connected, but nothing is acknowledged: the caller starts the connection anew. */
  onSilence: () => void
}

export type UplinkLimits = { ackTimeoutMs: number }

type Sending = {
  /** Number of the first record not sent yet in this connection. */
  sent: number
  inFlight: { end: number; bytes: number; at: number }[]
  /** How large a batch may become, and how many may be under way unacknowledged. */
  targetBytes: number
  window: number
  /** More waited when the last batch was made. */
  backlog: boolean
  timeouts: number
}

const smallestTarget = 32_768
const largestTarget = 524_288
const largestWindow = 8
/** Acknowledged within this: there is room for more. Later than that: others are at it too, or the line is thin. */
const quickMs = 1000
const slowMs = 3000
/** Bytes of all streams that may be under way. */
const budgetBytes = 4_194_304
const recordsInBatch = 10_000
const silentTimeouts = 3

/**
 * Sends the spool up, stream by stream, most valuable first.
 *
 *   spool.read(sent) -> batch -> publish -> in flight -> ack(next) -> spool.acknowledge -> ...
 *                                    no ack in time -> sent = acknowledged, again
 *
 * A single record leaves at once; records that come while batches are under way gather into larger ones. A less
 * valuable stream has one batch under way while a more valuable one waits, so that health is still heard. Only the
 * centre's acknowledgement moves the spool: a PUBACK says nothing about what is stored. How quickly it comes says how
 * much may be under way: each connection begins with one small batch, as a thousand may come back at once.
 */
export class Uplink {
  readonly #deps: UplinkDeps
  readonly #limits: UplinkLimits
  readonly #streams: Map<StreamName, Sending>
  #connected = false
  #generation = 0
  #pumping = false
  #again = false
  #lastAckAt: number | undefined

  constructor(deps: UplinkDeps, limits: UplinkLimits = { ackTimeoutMs: 10_000 }) {
    this.#deps = deps
    this.#limits = limits
    this.#streams = new Map(
      streamNames.map((name) => [
        name,
        { sent: 0, inFlight: [], targetBytes: smallestTarget, window: 1, backlog: false, timeouts: 0 },
      ]),
    )
  }

  get acknowledgedAt(): number | undefined {
    return this.#lastAckAt
  }

  connected(): void {
    this.#connected = true
    this.#generation++
    for (const name of streamNames) this.#restart(name)
    this.pump()
  }

  disconnected(): void {
    this.#connected = false
    this.#generation++
  }

  /** Takes an acknowledgement; one that cannot be ours is ignored and logged. */
  acknowledge(ack: Acknowledgement): void {
    const { spool, log, clock } = this.#deps
    const { epoch, acknowledged, next } = spool.standing(ack.stream)
    if (ack.epoch !== epoch || ack.next > next) {
      log.warn({ ...ack, heldEpoch: epoch, heldNext: next }, 'an acknowledgement of records never sent is ignored')
      return
    }
    const sending = this.#of(ack.stream)
    sending.timeouts = 0
    this.#lastAckAt = clock.now()
    if (ack.next <= acknowledged) return
    pace(sending, clock.now() - (sending.inFlight[0]?.at ?? clock.now()))
    sending.inFlight = sending.inFlight.filter((batch) => batch.end > ack.next)
    sending.sent = Math.max(sending.sent, ack.next)
    spool.acknowledge(ack.stream, epoch, ack.next).catch((error) => log.error({ err: error }, 'not trimmed'))
    this.pump()
  }

  /** To be called about every second: sends again what was not acknowledged in time. */
  tick(): void {
    if (!this.#connected) return
    const now = this.#deps.clock.now()
    for (const [name, sending] of this.#streams) {
      const [oldest] = sending.inFlight
      const patience = this.#limits.ackTimeoutMs * 2 ** Math.min(sending.timeouts, 3)
      if (!oldest || now - oldest.at < patience) continue
      sending.timeouts++
      this.#deps.log.warn({ stream: name, afterMs: now - oldest.at, times: sending.timeouts }, 'no acknowledgement')
      this.#restart(name)
      if (sending.timeouts >= silentTimeouts) {
        sending.timeouts = 0
        this.#deps.onSilence()
        return
      }
    }
    this.pump()
  }

  pump(): void {
    if (this.#pumping) {
      this.#again = true
      return
    }
    this.#pumping = true
    this.#run()
      .catch((error) => this.#deps.log.error({ err: error }, `sending failed: ${wordsOf(error)}`))
      .finally(() => {
        this.#pumping = false
        if (this.#again) this.pump()
      })
  }

  async #run(): Promise<void> {
    do {
      this.#again = false
      for (let name = this.#nextToSend(); name; name = this.#nextToSend()) await this.#sendOne(name)
    } while (this.#again)
  }

  #nextToSend(): StreamName | undefined {
    if (!this.#connected) return undefined
    let underWay = 0
    for (const sending of this.#streams.values())
      underWay += sending.inFlight.reduce((sum, batch) => sum + batch.bytes, 0)
    let alone = true
    for (const [name, { sent, inFlight, window }] of this.#streams) {
      if (sent >= this.#deps.spool.standing(name).next) continue
      if (inFlight.length === 0 || (alone && inFlight.length < window && underWay < budgetBytes)) return name
      alone = false
    }
    return undefined
  }

  async #sendOne(name: StreamName): Promise<void> {
    const sending = this.#of(name)
    const generation = this.#generation
    const from = sending.sent
    for (let bytes = sending.targetBytes; ; bytes /= 2) {
      const { epoch, first, lines, losses } = await this.#deps.spool.read(name, from, {
        bytes,
        records: recordsInBatch,
      })
      // The connection, or this stream, started anew while we read.
      if (generation !== this.#generation || sending.sent !== from) return
      const payload = encodeBatch({ v: 1, epoch, first, count: lines.length, losses }, lines)
      if (payload.length > maxBatchBytes && lines.length > 1) continue
      const end = first + lines.length
      sending.backlog = end < this.#deps.spool.standing(name).next
      if (!sending.backlog) sending.targetBytes = Math.max(smallestTarget, sending.targetBytes / 2)
      sending.sent = end
      sending.inFlight.push({ end, bytes: payload.length, at: this.#deps.clock.now() })
      this.#deps.publish(name, payload)
      return
    }
  }

  #restart(name: StreamName): void {
    const sending = this.#of(name)
    sending.sent = this.#deps.spool.standing(name).acknowledged
    sending.inFlight = []
    sending.targetBytes = smallestTarget
    sending.window = 1
  }

  #of = (name: StreamName): Sending => this.#streams.get(name) as Sending
}

/** What is under way grows while it is acknowledged quickly, and shrinks at once when it is not. */
function pace(sending: Sending, tookMs: number): void {
  if (tookMs > slowMs) {
    sending.window = 1
    sending.targetBytes = smallestTarget
  } else if (tookMs <= quickMs) {
    sending.window = Math.min(largestWindow, sending.window * 2)
    if (sending.backlog) sending.targetBytes = Math.min(largestTarget, sending.targetBytes * 2)
  }
}

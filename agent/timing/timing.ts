import { type Clock, isoNow } from '../../shared/clock.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import { canonicalCidr } from '../../shared/network.ts'
import type { Random } from '../../shared/random.ts'
import { makeRounds } from '../../shared/rounds.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import type { HostSeen } from '../../shared/schemas/inventory.ts'
import type { Nic } from '../scan/interfaces.ts'
import type { Report } from '../spool/port.ts'
import { visit as visitService } from './ask.ts'
import { type Service, servicesToAsk } from './services.ts'
import { windowOf } from './told.ts'

export type TimingOptions = {
  report: Report
  clock: Clock
  random: Random
  log: Log
  nics: () => Promise<readonly Nic[]>
  /** The agent's own inventory, as the scan keeps it. */
  hosts: () => readonly HostSeen[]
  ownDecoys: () => readonly { ip: string; mac: string }[]
  visit?: typeof visitService
}

export interface Timing extends Part {
  /** What may be looked at from now on. Before the first plan nobody is asked. */
  applyPlan(plan: Plan): void
}

/** Between two visits, whomever they are to: at most twenty a minute. */
const leastGapMs = 3000
/** A new service is asked within this, so that a fleet or a new segment does not ask all at once. */
const firstWithinMs = 60_000

/**
 * Visits the real services of the segments that are looked at, one at a time.
 *
 *   plan, inventory -> whom (pure, asked anew before each visit) -> the one that is longest due -> visit -> window -> spool
 *
 * Invariants: never two visits at once; none within `leastGapMs` of another; none outside the rails of `services.ts`.
 */
export function makeTiming(options: TimingOptions): Timing {
  const { report, clock, random, log } = options
  const visit = options.visit ?? visitService
  const due = new Map<string, { at: number; lastAt: number | undefined }>()
  let plan: Plan | undefined
  let lastVisitAt = 0

  async function round(signal: AbortSignal): Promise<number> {
    const everyMs = (plan?.observe?.probeEverySeconds ?? 0) * 1000
    if (!plan || everyMs === 0) return firstWithinMs
    // A plan that comes wakes this part at any time.
    const since = clock.now() - lastVisitAt
    if (since >= 0 && since < leastGapMs) return leastGapMs - since
    const known = { plan, nics: await options.nics(), hosts: options.hosts(), ownDecoys: options.ownDecoys() }
    const services = servicesToAsk(known)
    const next = place(services, everyMs)
    if (!next) return firstWithinMs
    const { key, service } = next
    const state = due.get(key) as { at: number; lastAt: number | undefined }
    if (state.at > clock.now()) return Math.max(leastGapMs, Math.min(firstWithinMs, state.at - clock.now()))
    const begunAt = clock.now()
    const seen = await visit(service)
    lastVisitAt = clock.now()
    // The segment may have been switched off in the meantime.
    const isWatched = (plan.observe?.segments ?? []).some((one) => canonicalCidr(one) === canonicalCidr(service.cidr))
    if (signal.aborted || !isWatched) return 0
    const seconds = Math.max(1, (begunAt - (state.lastAt ?? begunAt - everyMs)) / 1000)
    due.set(key, { at: Math.round(begunAt + everyMs * (0.9 + 0.2 * random())), lastAt: begunAt })
    await report('features', [windowOf(service, seen, isoNow(clock), seconds)])
    log.debug({ service: service.kind, port: service.port, failed: seen.failed }, 'asked a real service')
    return leastGapMs
  }

  /** Gives each service its time, forgets those that are no more, and finds the one that comes next. */
  function place(services: readonly Service[], everyMs: number): { key: string; service: Service } | undefined {
    const named = new Map(services.map((service) => [`${service.ip} ${service.port} ${service.kind}`, service]))
    for (const key of due.keys()) if (!named.has(key)) due.delete(key)
    const now = clock.now()
    for (const key of named.keys()) {
      const state = due.get(key)
      // A plan may shorten what is waited for; a clock that was set back must not make it last.
      if (state) state.at = Math.min(state.at, now + everyMs * 1.1)
      else due.set(key, { at: now + random() * Math.min(everyMs, firstWithinMs), lastAt: undefined })
    }
    const [first] = [...due].sort((a, b) => a[1].at - b[1].at)
    return first && { key: first[0], service: named.get(first[0]) as Service }
  }

  const rounds = makeRounds({
    name: 'timing',
    clock,
    log,
    failure: 'a real service could not be asked',
    afterFailureMs: firstWithinMs,
    round,
  })
  return {
    ...rounds,
    applyPlan(next) {
      plan = next
      rounds.wake()
    },
  }
}

import { join } from 'node:path'
import { wordsOf } from '../../shared/errors.ts'
import { canonicalCidr } from '../../shared/network.ts'
import { makeRounds } from '../../shared/rounds.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import type { FeatureWindow } from '../../shared/schemas/observation.ts'
import type { Dump } from '../capture/dump.ts'
import { missedBy } from '../capture/dump-counts.ts'
import { makePcapReader } from '../capture/pcap.ts'
import { openPseudonyms, type Pseudonyms } from '../capture/pseudonyms.ts'
import type { Hearing, HearingDeps } from './ports.ts'
import { makeSegmentFeatures } from './segment-features.ts'

const lookEveryMs = 5000
const retryMs = 10_000

/** A card that is listened at. `cidrs`: the segments that it hears. */
type Ear = { cidrs: string[]; dump: Dump | undefined; notBefore: number; dropped: number }
type Heard = { features: ReturnType<typeof makeSegmentFeatures>; since: number }

/**
 * Listens at the appliance's own cards, and at those that a switch mirrors to, for what the hosts of a segment say.
 *
 *   plan (segments, mirror ports) -> tcpdump on each card -> packets -> features of their segment -> window -> spool
 *                                                                    \-> conversations -> patterns of mimicry
 *
 * Invariants: of a segment that the plan does not name nothing is heard, and what was gathered goes untold; decoys and the
 * appliance are left out; no payload and no address leaves the process.
 */
export function makeHearing(deps: HearingDeps): Hearing {
  const { clock, log, report } = deps
  const ears = new Map<string, Ear>()
  const heard = new Map<string, Heard>()
  let plan: Plan | undefined
  let pseudonyms: Pseudonyms | undefined
  let ours: ReadonlySet<string> = new Set()
  /** Segments that more than one card hears. */
  let byMany: ReadonlySet<string> = new Set()
  let windowEndsAt = 0

  /** Card -> segments to hear there: its own, and of a mirror port all. */
  async function wanted(): Promise<Map<string, { cidrs: string[]; mirror: boolean }>> {
    const observe = plan?.observe
    const watched = new Set((observe?.segments ?? []).map(canonicalCidr))
    const nics = (await deps.nics()).filter(({ cidr }) => watched.has(cidr))
    const cidrs = nics.map(({ cidr }) => cidr)
    const cards = new Map(nics.map(({ nic, cidr }) => [nic, { cidrs: [cidr], mirror: false }]))
    if (cidrs.length > 0) for (const nic of observe?.mirrorPorts ?? []) cards.set(nic, { cidrs, mirror: true })
    return cards
  }

  const isWatched = (cidr: string) => (plan?.observe?.segments ?? []).some((one) => canonicalCidr(one) === cidr)

  async function round(): Promise<number> {
    const cards = await wanted()
    const decoys = [...deps.ownDecoys().map(({ mac }) => mac), ...(plan?.scan.decoyMacs ?? [])]
    ours = new Set([
      ...decoys,
      ...(plan?.decoys ?? []).map(({ mac }) => mac),
      ...(await deps.nics()).map(({ mac }) => mac),
    ])
    const all = [...cards.values()].flatMap((card) => card.cidrs)
    const cidrs = new Set(all)
    byMany = new Set(all.filter((cidr, i) => all.indexOf(cidr) < i))
    for (const cidr of heard.keys()) if (!cidrs.has(cidr)) heard.delete(cidr)
    for (const [nic, ear] of ears)
      if (ear.cidrs.join() !== cards.get(nic)?.cidrs.join()) {
        ears.delete(nic)
        await ear.dump?.stop()
      }
    for (const [nic, { cidrs: its, mirror }] of cards) await listen(nic, its, mirror)
    if (clock.now() >= windowEndsAt) {
      await tell()
      windowEndsAt = nextEnd()
    }
    return Math.max(50, Math.min(lookEveryMs, windowEndsAt - clock.now()))
  }

  async function listen(nic: string, cidrs: string[], mirror: boolean): Promise<void> {
    const ear = ears.get(nic) ?? { cidrs, dump: undefined, notBefore: 0, dropped: 0 }
    ears.set(nic, ear)
    if (ear.dump || clock.now() < ear.notBefore) return
    pseudonyms ??= await openPseudonyms(join(deps.stateDir, 'capture'))
    for (const cidr of cidrs) if (!heard.has(cidr)) heard.set(cidr, begin(cidr, pseudonyms(cidr)))
    const reader = makePcapReader(({ frame, at }) => {
      for (const cidr of cidrs) heard.get(cidr)?.features.add(frame, at, byMany.has(cidr) ? nic : undefined)
    })
    // The agent's own scans and reports need not come out of the kernel; decoys change, and are told apart here.
    const without = (await deps.nics()).map(({ mac }) => mac)
    const dump = await deps.listen(nic, { mirror, without }, (bytes) => {
      try {
        reader.push(bytes)
      } catch (error) {
        log.error({ nic, why: wordsOf(error) }, 'what a card hears cannot be read: it is begun again')
        void dump.stop()
      }
    })
    Object.assign(ear, { dump, dropped: 0 })
    log.info({ nic, segments: cidrs, mirror, tcpdump: dump.pid }, 'listens for what the segment says')
    void dump.ended.then((why) => {
      if (ear.dump !== dump) return
      Object.assign(ear, { dump: undefined, notBefore: clock.now() + retryMs })
      if (ears.get(nic) === ear) log.warn({ nic, why }, 'a card is not listened at any more; tried again')
    })
  }

  const begin = (cidr: string, name: (address: number) => string): Heard => ({
    since: clock.now(),
    features: makeSegmentFeatures({ cidr, random: deps.random, pseudonym: name, isOurs: (mac) => ours.has(mac) }),
  })

  /** Windows of all segments; a card's drops count for each segment that it hears. */
  async function tell(): Promise<void> {
    const missed = new Map<string, number>()
    for (const ear of ears.values()) {
      const counts = await ear.dump?.counts()
      const dropped = counts ? missedBy(counts) : ear.dropped
      for (const cidr of ear.cidrs) missed.set(cidr, (missed.get(cidr) ?? 0) + Math.max(0, dropped - ear.dropped))
      ear.dropped = dropped
    }
    const now = clock.now()
    for (const [cidr, one] of heard) {
      // Each report takes its time, and a plan may come in it.
      if (!isWatched(cidr)) continue
      const seconds = (now - one.since) / 1000
      if (seconds < 1) continue
      const { profile, conversations, hosts } = one.features.take(seconds, now)
      const window: FeatureWindow = {
        type: 'window',
        at: new Date(now).toISOString(),
        seconds,
        subject: { kind: 'segment', cidr },
        service: 'segment',
        profile,
        missed: missed.get(cidr) ?? 0,
      }
      await report('features', [window])
      if (isWatched(cidr)) await deps.onConversations?.(cidr, conversations, { from: one.since, to: now, hosts })
      one.since = now
    }
  }

  function nextEnd(): number {
    const ms = (plan?.observe?.windowSeconds ?? 60) * 1000
    return (Math.floor(clock.now() / ms) + 1) * ms
  }

  const rounds = makeRounds({
    name: 'hearing',
    clock,
    log,
    round,
    failure: 'could not listen for what the segments say; trying again',
    afterFailureMs: retryMs,
  })
  return {
    name: 'hearing',
    start: rounds.start,
    async stop() {
      await rounds.stop()
      await Promise.all([...ears.values()].map(({ dump }) => dump?.stop()))
      ears.clear()
      heard.clear()
    },
    applyPlan(next) {
      plan = next
      const end = nextEnd()
      windowEndsAt = windowEndsAt === 0 ? end : Math.min(windowEndsAt, end)
      rounds.wake()
    },
  }
}

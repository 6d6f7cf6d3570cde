import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { wordsOf } from '../../shared/errors.ts'
import { parseNetwork } from '../../shared/network.ts'
import { makeRounds } from '../../shared/rounds.ts'
import type { DesiredDecoy, Plan } from '../../shared/schemas/desired-state.ts'
import type { FeatureWindow, ObservationPolicy } from '../../shared/schemas/observation.ts'
import type { PodRun } from '../decoys/ports.ts'
import { numberOf } from './decode.ts'
import { type DecoyCapture, makeDecoyCapture } from './decoy-capture.ts'
import { startDump } from './dump.ts'
import { makeFetch } from './fetch.ts'
import { type Mimics, mimicsOf } from './mimics.ts'
import type { Capture, CaptureDeps } from './ports.ts'
import { openPseudonyms, type Pseudonyms } from './pseudonyms.ts'
import { makeRing, type Ring, type RingLimits } from './ring.ts'
import { portsOf } from './subjects.ts'

const lookEveryMs = 1000
const ageEveryMs = 60_000
/** Of rings that are left over while no plan says for how long they stay. */
const forgottenHours = 24
const id = /^[0-9a-f-]{36}$/

/** What a capture is made for: of another one, it is made anew. */
type Held = { capture: DecoyCapture; ring: Ring; about: string }

/**
 * Looks at all traffic of each decoy of the plan, inside its pod's network, while the plan says so:
 *
 *   each second: pods that run <-> captures            each window's time: windows of all decoys -> spool, at once
 *   each minute: rings lose what is too old, also those of decoys that are gone
 */
export function makeCapture(deps: CaptureDeps): Capture {
  const { clock, log, report } = deps
  const folder = join(deps.stateDir, 'capture')
  const held = new Map<string, Held>()
  let plan: Plan | undefined
  let mimics = new Map<string, Mimics>()
  let last: ObservationPolicy | undefined
  let pseudonyms: Pseudonyms | undefined
  let telling: Promise<void> = Promise.resolve()
  let windowEndsAt = 0
  let agedAt = 0

  const policy = (): ObservationPolicy | undefined => (plan?.observe?.capture ? plan.observe : undefined)
  const limits = (): RingLimits => ({
    bytes: (last?.ringMb ?? 1) * 1_048_576,
    hours: last?.ringHours ?? forgottenHours,
  })
  const ringOf = (decoy: string) =>
    makeRing({ folder: join(folder, decoy), clock, log, ...(deps.freeBytes && { freeBytes: deps.freeBytes }) }, limits)

  const tell = async (windows: readonly FeatureWindow[]): Promise<void> => {
    if (windows.length > 0) await report('features', windows)
  }
  /** In their order, beside the rounds. */
  const tellLater = (windows: FeatureWindow[]) => {
    telling = telling
      .then(() => tell(windows))
      .catch((error) => log.error({ why: wordsOf(error) }, 'windows could not be reported'))
  }

  async function round(): Promise<number> {
    const now = clock.now()
    const wanted = new Map((policy() ? (plan?.decoys ?? []) : []).map((decoy) => [decoy.id, decoy]))
    const pods = new Map(deps.pods().map((pod) => [pod.decoy, pod]))
    for (const [decoy, { capture, about }] of held) {
      const desired = wanted.get(decoy)
      if (desired && aboutOf(desired) === about) continue
      await capture.stop()
      held.delete(decoy)
    }
    // Once, before captures begin side by side: the first time it is made.
    if (wanted.size > 0) pseudonyms ??= await openPseudonyms(folder)
    await Promise.all([...wanted.values()].map((decoy) => follow(decoy, pods.get(decoy.id))))
    if (now >= windowEndsAt) {
      windowEndsAt = nextEnd(now)
      await tell((await Promise.all([...held.values()].map(({ capture }) => capture.tick()))).flat())
    }
    if (now - agedAt >= ageEveryMs) {
      agedAt = now
      await age()
    }
    return Math.max(50, Math.min(lookEveryMs, windowEndsAt - clock.now()))
  }

  async function follow(decoy: DesiredDecoy, pod: PodRun | undefined): Promise<void> {
    let known = held.get(decoy.id)
    if (!known) {
      if (!pod) return
      const ring = ringOf(decoy.id)
      known = { capture: await begin(decoy, ring), ring, about: aboutOf(decoy) }
      held.set(decoy.id, known)
    }
    await tell(await known.capture.drifted(decoy.drift))
    await known.capture.follow(pod)
  }

  async function begin(decoy: DesiredDecoy, ring: Ring): Promise<DecoyCapture> {
    await ring.open()
    return makeDecoyCapture({
      decoy: decoy.id,
      address: numberOf(decoy.ip),
      broadcastAddress: parseNetwork(decoy.cidr).last,
      ports: portsOfDecoy(decoy),
      mimics: () => mimics.get(decoy.id),
      isOwnLook: (address, port, at) => deps.isOwnLook?.(decoy.id, address, port, at) ?? false,
      ring,
      random: deps.random,
      pseudonym: (pseudonyms as Pseudonyms)(decoy.cidr),
      clock,
      log,
      drift: decoy.drift,
      startDump: deps.startDump ?? startDump,
      onWindows: tellLater,
      onEnd: rounds.wake,
    })
  }

  const portsOfDecoy = ({ persona }: DesiredDecoy) => {
    const known = plan?.personas.find((one) => one.id === persona)
    return known ? portsOf(known) : new Map<number, string>()
  }
  const aboutOf = (decoy: DesiredDecoy) => JSON.stringify([decoy.ip, decoy.cidr, [...portsOfDecoy(decoy)]])

  /** Windows of all decoys end together, where the clock shows a whole number of them. */
  function nextEnd(now: number): number {
    const ms = (policy()?.windowSeconds ?? 60) * 1000
    return (Math.floor(now / ms) + 1) * ms
  }

  async function age(): Promise<void> {
    const names = (await readdir(folder).catch(() => [])).filter((one) => id.test(one))
    for (const name of new Set([...held.keys(), ...names]))
      await (held.get(name)?.ring ?? ringOf(name))
        .age()
        .catch((error) => log.warn({ ring: name, why: wordsOf(error) }, 'a ring cannot be tidied'))
  }

  const fetching = makeFetch({
    folder,
    spool: deps.spool,
    clock,
    log,
    settled: async (decoy) => held.get(decoy)?.ring.settled(),
  })

  const rounds = makeRounds({
    name: 'capture',
    clock,
    log,
    round,
    failure: 'could not look after the captures; trying again',
    afterFailureMs: 2000,
  })

  return {
    name: 'capture',
    start: rounds.start,
    async stop() {
      await Promise.all([rounds.stop(), fetching.stop()])
      await Promise.all([...held.values()].map(({ capture }) => capture.stop()))
      held.clear()
      await telling
    },
    applyPlan(next) {
      plan = next
      if (next.observe) last = next.observe
      mimics = new Map(next.decoys.flatMap(({ id, mimicry }) => (mimicry ? [[id, mimicsOf(mimicry)] as const] : [])))
      const end = nextEnd(clock.now())
      windowEndsAt = windowEndsAt === 0 ? end : Math.min(windowEndsAt, end)
      rounds.wake()
    },
    fetch: fetching.fetch,
    standing() {
      const all = [...held.values()]
      return {
        decoys: held.size,
        unlooked: all.filter(({ capture }) => !capture.isLooking()).length,
        missed: all.reduce((sum, { capture }) => sum + capture.missed(), 0),
        rings: all.flatMap(({ capture: { decoy }, ring }) => {
          const why = ring.trouble()
          return why === undefined ? [] : [{ decoy, why }]
        }),
        unwritten: all.reduce((sum, { ring }) => sum + ring.unwritten(), 0),
      }
    },
    processes: () => [...held.values()].flatMap(({ capture }) => capture.pid() ?? []),
  }
}

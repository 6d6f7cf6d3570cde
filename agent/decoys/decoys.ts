import { join } from 'node:path'
import { isoNow } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { type Plan, serviceContainer } from '../../shared/schemas/desired-state.ts'
import type { Notice } from '../../shared/schemas/state.ts'
import type { Claim } from './arp-line.ts'
import { makeBell } from './bell.ts'
import { removeAll } from './cleanup.ts'
import { makeConflictWatch } from './conflicts.ts'
import { type Current, type CurrentDecoy, containersIn, hasContainers, nothingSeen } from './current.ts'
import { makeDrifting } from './drifting.ts'
import { type AttemptRules, adopted, condemned, departed, isHeldDown, withdrawn } from './entry.ts'
import { makeExecute } from './execute.ts'
import { makeHeartbeats } from './heartbeats.ts'
import { makeImageArchives } from './image-archives.ts'
import { makeLedger } from './ledger.ts'
import { observe } from './observe.ts'
import { type PlanRules, plan as planSteps } from './plan.ts'
import type { Decoys, DecoysDeps, DecoysOptions } from './ports.ts'
import { settled } from './settle.ts'
import { addressesOf, livingOf, podsOf, reachOf, restingOf, sourcesOf } from './shown.ts'
import { foldersOf, networkName, podName } from './specs.ts'
import { outcomeOf } from './standing.ts'
import { makeStateReporter } from './state-reporter.ts'
import { makeStatusWatch } from './status-files.ts'
import { makeWorks } from './works.ts'

/**
 * The loop: observe -> settle entries -> report -> plan -> work, again at each event of the engine, change of a status
 * file, end of a work, or when a time has come. Invariants:
 *  - a decoy is worked on by one work at a time, and is left out of planning meanwhile;
 *  - what is remembered is only what cannot be observed (attempts, deaths, a lost address);
 *  - nothing is touched before the first plan has come.
 */
export function makeDecoys(deps: DecoysDeps, options: DecoysOptions = {}): Decoys {
  const { engine, clock, log, random } = deps
  const folder = join(deps.stateDir, 'decoys')
  const lookEveryMs = options.lookEveryMs ?? 30_000
  const attemptRules: AttemptRules = {
    attempts: options.attempts ?? 5,
    firstMs: options.firstRetryMs ?? 1000,
    capMs: 30_000,
    random,
  }
  const rules: PlanRules = {
    agent: deps.agent,
    images: deps.images,
    folder,
    strayGraceMs: options.strayGraceMs ?? 30_000,
    readyWithinMs: options.readyWithinMs ?? 60_000,
  }
  const madeWith = JSON.stringify([deps.images, deps.running])
  const bell = makeBell(clock)
  const ledger = makeLedger(folder)
  const reporter = makeStateReporter({ report: deps.report, log })
  const statusWatch = makeStatusWatch(bell.ring)
  const archives = makeImageArchives({ engine, folder: deps.images.archives, log })
  const controls = new Map<string, string | undefined>()
  const strays = new Map<string, number>()
  const heartbeats = makeHeartbeats()
  const filters = new Map<string, { egress: string; mark?: string }>()
  const onControlWritten = (decoy: string, digest: string) => controls.set(decoy, digest)
  const onFilterSet = (decoy: string, egress: string) => filters.set(decoy, { egress })
  const execute = makeExecute({ engine, arp: deps.arp, archives, ledger, folder, onControlWritten, onFilterSet, log })
  const conflicts = makeConflictWatch({
    arp: deps.arp,
    clock,
    log,
    probeEveryMs: options.probeEveryMs ?? 20_000,
    living: () => livingOf(ledger.all(), seenOf, current?.nics ?? []),
    onClaim: (claim) => void giveUp(claim).catch((error) => log.error({ err: error }, 'could not withdraw a decoy')),
  })
  const works = makeWorks({
    execute,
    ledger,
    clock,
    log,
    attemptRules,
    atOnce: options.atOnce ?? 3,
    ring: bell.ring,
    giveUp: (claim) => giveUp(claim),
    onOrphanRemoved: (container, because) =>
      notify('info', 'ORPHAN_REMOVED', `removed ${container}: ${because}`, { container }),
  })
  const drifting = makeDrifting({
    engine,
    clock,
    log,
    notify: (level, code, message, data) => notify(level, code, message, data),
    report: deps.report,
  })
  let desired: Plan | undefined
  let current: Current | undefined
  let toldOutcome = 0
  let stopping = new AbortController()
  let running: Promise<unknown> = Promise.resolve()

  const entriesById = () => new Map(ledger.all().map((entry) => [entry.decoy, entry]))
  const seenOf = (decoy: string): CurrentDecoy => current?.decoys.get(decoy) ?? nothingSeen
  const tell = (decoy: string) => {
    const entry = ledger.get(decoy)
    // Of one that is being removed the next word is that it is gone.
    if (entry && !(entry.gone && hasContainers(seenOf(decoy))))
      reporter.tell(entry, seenOf(decoy), works.busyWith(decoy), isoNow(clock))
  }
  const notify = (level: Notice['level'], code: string, message: string, data?: Notice['data']) => {
    log[level === 'warning' ? 'warn' : level]({ code, ...data }, message)
    reporter.send({ type: 'notice', at: isoNow(clock), level, code, message, ...(data && { data }) })
  }

  async function look(): Promise<number | undefined> {
    const plan = desired
    if (!plan) return undefined
    for (const decoy of plan.decoys)
      if (!works.busyWith(decoy.id)) await ledger.put(adopted(ledger.get(decoy.id), decoy, plan.revision, madeWith))
    const named = new Set(plan.decoys.map(({ id }) => id))
    for (const entry of ledger.all()) if (!named.has(entry.decoy) && !entry.gone) await ledger.put(departed(entry))
    current = await observe(
      { engine, nics: deps.nics, folder, controls, filters, heartbeats, strays },
      entriesById(),
      clock.now(),
    )
    for (const entry of ledger.all()) if (!works.busyWith(entry.decoy)) await settle(entry.decoy)
    current = { ...current, entries: entriesById() }
    const steps = planSteps(current, plan, clock.now(), rules, works.underWay())
    works.begin(steps)
    drifting.follow(plan, seenOf)
    for (const { decoy } of ledger.all()) tell(decoy)
    watchOver(plan, current)
    if (steps.works.length === 0 && !works.onDecoys()) tellOutcome(plan, current)
    return steps.wakeAt
  }

  async function settle(decoy: string): Promise<void> {
    const entry = ledger.get(decoy)
    if (!entry || entry.gone || isHeldDown(entry)) return
    const { next, warnings } = settled(entry, seenOf(decoy), { ms: clock.now(), at: isoNow(clock) }, attemptRules)
    for (const { code, message } of warnings) notify('warning', code, message, { decoy })
    await ledger.put(next)
  }

  /** A real host has the address: the decoy leaves at once, before anything is written down. */
  async function giveUp({ ip, mac }: Claim): Promise<void> {
    const entries = ledger.all()
    const entry = entries.find((one) => one.ip === ip && !one.gone && !one.withdrawn)
    if (!entry || entries.some((one) => one.mac === mac)) return
    const error = new MarshlightError('ADDRESS_TAKEN', { ip, mac })
    const stopped = engine.stop(podName(entry.decoy), 0).catch((why) => log.error({ err: why }, 'could not stop a pod'))
    await ledger.put(withdrawn(entry, { ip, mac }, error.message))
    await stopped
    notify('warning', error.code, `${error.message}. ${error.next}`, { decoy: entry.decoy, ip, mac })
    tell(entry.decoy)
    bell.ring()
  }

  function watchOver(plan: Plan, seen: Current): void {
    statusWatch.follow(
      plan.decoys.flatMap(({ id, services }) => services.map((service) => foldersOf(folder, id, service).out)),
    )
    const networks = new Set(seen.networks.map(({ name }) => name))
    conflicts.listenOn(new Set(seen.nics.filter(({ nic }) => networks.has(networkName(nic))).map(({ nic }) => nic)))
  }

  function tellOutcome(plan: Plan, seen: Current): void {
    if (toldOutcome === plan.revision) return
    const outcome = outcomeOf(plan, seen.entries, seen.decoys, isoNow(clock))
    if (!outcome) return
    toldOutcome = plan.revision
    log.info({ revision: plan.revision, outcome: outcome.outcome, reason: outcome.reason }, 'the plan is settled')
    reporter.send(outcome)
  }

  async function loop(signal: AbortSignal): Promise<void> {
    let failures = 0
    while (!signal.aborted) {
      const startedAt = clock.now()
      let wakeAt: number | undefined
      try {
        wakeAt = await look()
        failures = 0
      } catch (error) {
        failures++
        log.error({ why: wordsOf(error) }, 'could not look after the decoys; trying again')
        await clock.sleep(Math.min(10_000, 500 * failures), signal).catch(() => undefined)
        continue
      }
      // Looking costs the engine time; while much happens it gets twice as long for its work as for being looked at.
      await clock.sleep(2 * (clock.now() - startedAt), signal).catch(() => undefined)
      await bell.wait(Math.min(lookEveryMs, (wakeAt ?? Number.POSITIVE_INFINITY) - clock.now()), signal)
    }
  }

  return {
    name: 'decoys',
    async start(signal) {
      stopping = new AbortController()
      const both = AbortSignal.any([signal, stopping.signal])
      await ledger.open((error) => notify('error', error.code, `${error.message}. ${error.next}`))
      running = Promise.all([loop(both), engine.watch(bell.ring, bell.ring, both), conflicts.probe(both)])
    },
    async stop() {
      stopping.abort()
      await Promise.all([running, works.ended()])
      await drifting.stop()
      // Only now: a look that was under way would have opened them again.
      statusWatch.stop()
      await conflicts.stop()
      await reporter.settled()
    },
    applyPlan(plan) {
      desired = plan
      bell.ring()
    },
    list: () => reporter.last(),
    standing: () =>
      restingOf(desired?.decoys ?? [], ledger.get, seenOf)
        .filter(({ id }) => !works.busyWith(id))
        .map((decoy) => reachOf(decoy, current?.nics ?? [])),
    async takeDown(decoy, reason) {
      const stopped = containersIn(seenOf(decoy)).map((container) => engine.stop(container.id, 0))
      const entry = ledger.get(decoy)
      if (entry) await ledger.put(condemned(entry, reason))
      await Promise.allSettled(stopped)
      tell(decoy)
      bell.ring()
    },
    pods: () => podsOf(ledger.all(), seenOf),
    ownAddresses: () => addressesOf(ledger.all(), seenOf),
    sources: () => sourcesOf(ledger.all(), seenOf, folder),
    async release(decoy) {
      if (!ledger.get(decoy)?.gone) return
      controls.delete(decoy)
      filters.delete(decoy)
      for (const service of serviceContainer.options) heartbeats.forget(`${decoy} ${service}`)
      reporter.forget(decoy)
      await ledger.drop(decoy)
    },
    cleanup: () => removeAll({ engine, agent: deps.agent, folder }),
  }
}

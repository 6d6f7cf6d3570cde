import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { ControllerConfig } from '../config.ts'
import { readPersona } from '../personas/index.ts'
import type { Sql, Store } from '../store/port.ts'
import type { Bus } from '../work/port.ts'
import type { DecoyActions } from './actions.ts'
import { decide, type Step } from './decide.ts'
import { decoysOfSegment, writeAction } from './records.ts'
import { situations } from './situation.ts'

export type PlacementDeps = {
  config: ControllerConfig
  store: Store
  bus: Bus
  clock: Clock
  log: Log
  actions: DecoyActions
  /** What is planned for segments, by id, in place of the configuration: how many decoys, and families to take them from. */
  planned?(sql: Sql): Promise<ReadonlyMap<string, { decoys?: number; families?: readonly string[] }>>
  /** Tells an administrator; called after the commit. */
  notify?(notice: { code: string; message: string; segment: string }): void
}

/** Looks at least so often, even if nothing woke it. */
const longestNapMs = 30_000
/** Steps of one pass in a segment; what is left over is for the next. */
const mostSteps = 64

/**
 * Keeps the wanted decoys in each segment.
 *
 *   segment-changed, presence, timer -> situations -> decide (pure) -> actions, one transaction -> plan-changed
 *                                           ^------------ again until nothing is left to do
 */
export function makePlacement(deps: PlacementDeps): Part & { pass(): Promise<void> } {
  const { config, store, bus, clock, log, actions, notify } = deps
  const stopping = new AbortController()
  let running: Promise<void> = Promise.resolve()
  let ring = () => {}
  let woken = false
  const offs: (() => void)[] = []

  const wake = () => {
    woken = true
    ring()
  }

  /** One pass over all segments; milliseconds since 1970 of the next thing that falls due. */
  async function pass(): Promise<number | undefined> {
    await actions.warm()
    const notices: { code: string; message: string; segment: string }[] = []
    const agents = new Set<string>()
    const dues: number[] = []
    await store.tx(async (sql) => {
      const wanted = {
        perSegment: config.decoys.perSegment,
        waitForDetailMs: config.decoys.waitForDetailSeconds * 1000,
      }
      for (let round = 0; round < mostSteps; round++) {
        dues.length = 0
        const planned = await deps.planned?.(sql)
        const steps: { step: Step; segment: string }[] = []
        for (const situation of await situations(sql, clock.now())) {
          const perSegment = planned?.get(situation.segment)?.decoys ?? wanted.perSegment
          const most = Math.min(perSegment, Math.max(wanted.perSegment, config.decoys.maxPerSegment))
          const decided = decide(situation, { ...wanted, perSegment: most }, clock.now())
          if (decided.nextAt !== undefined) dues.push(decided.nextAt)
          for (const step of decided.steps) steps.push({ step, segment: situation.segment })
        }
        if (steps.length === 0) return
        for (const { step, segment } of steps) {
          const agent = await execute(sql, step, segment, notices)
          if (agent !== undefined) agents.add(agent)
        }
      }
    })
    if (agents.size > 0) bus.emit({ name: 'plan-changed', agents: [...agents] })
    for (const notice of notices) {
      log.warn(notice, 'a decoy could not be placed')
      notify?.(notice)
    }
    return dues.length > 0 ? Math.min(...dues) : undefined
  }

  /** The agent whose plan changed. No free address is a notice, and the segment is left alone for a while. */
  async function execute(
    sql: Sql,
    step: Step,
    segment: string,
    notices: { code: string; message: string; segment: string }[],
  ): Promise<string | undefined> {
    try {
      const done = await run(sql, step)
      log.info(
        { action: done.action, decoy: done.decoy, ip: done.ip, agent: done.agent, because: done.because },
        done.what,
      )
      return done.agent
    } catch (error) {
      if (!(error instanceof MarshlightError)) throw error
      const message = `${error.message}; ${step.because}`
      notices.push({ code: error.code, message, segment })
      const entry = { at: isoNow(clock), segment, by: 'placement' as const, reason: step.because, what: error.message }
      await writeAction(sql, { ...entry, action: 'no-address' })
      // A decoy without another address to go to must not stay on one that is not its own.
      if (step.type === 'readdress') return (await actions.giveUp(sql, step.decoy, message)).agent
      return undefined
    }
  }

  /** Of the families that are planned, the one that the segment has fewest of. */
  async function deploy(sql: Sql, step: Extract<Step, { type: 'deploy' }>) {
    const { families } = (await deps.planned?.(sql))?.get(step.segment) ?? {}
    const here = families ? await decoysOfSegment(sql, step.segment) : []
    const shown = await Promise.all(here.map(async (one) => (await readPersona(sql, one.persona, 1))?.family))
    const count = (family: string) => shown.filter((one) => one === family).length
    const [family] = [...(families ?? [])].sort((a, b) => count(a) - count(b))
    const options = { by: 'placement', agent: step.agent, ...(family !== undefined && { family }) } as const
    return actions.deployOne(sql, step.segment, step.because, options)
  }

  function run(sql: Sql, step: Step) {
    switch (step.type) {
      case 'deploy':
        return deploy(sql, step)
      case 'readdress':
        return actions.readdress(sql, step.decoy, step.because)
      case 'give-up':
        return actions.giveUp(sql, step.decoy, step.because)
      case 'retire':
        return actions.retire(sql, step.decoy, step.because, 'placement')
    }
  }

  async function loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      woken = false
      let dueAt: number | undefined
      try {
        dueAt = await pass()
      } catch (error) {
        log.error({ err: error, why: wordsOf(error) }, 'placement failed; it tries again')
      }
      if (woken) continue
      const nap = new AbortController()
      ring = () => nap.abort()
      const ms = Math.min(longestNapMs, Math.max(50, (dueAt ?? Number.POSITIVE_INFINITY) - clock.now()))
      await clock.sleep(ms, AbortSignal.any([signal, nap.signal])).catch(() => undefined)
    }
  }

  return {
    name: 'placement',
    pass: async () => void (await pass()),
    async start(signal) {
      offs.push(bus.on('segment-changed', wake), bus.on('presence', wake))
      running = loop(AbortSignal.any([signal, stopping.signal]))
    },
    async stop() {
      for (const off of offs.splice(0)) off()
      stopping.abort()
      await running
    },
  }
}

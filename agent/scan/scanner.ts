import { rm } from 'node:fs/promises'
import { MarshlightError } from '../../shared/errors.ts'
import { overlaps } from '../../shared/network.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import { makeBook } from './book.ts'
import { makeCards } from './cards.ts'
import { heldPath } from './held-inventory.ts'
import { defaultNicFilter, readInterfaces } from './interfaces.ts'
import { newJob, runJob } from './job.ts'
import { reverseDns } from './names.ts'
import { systemNmap } from './nmap-run.ts'
import type { Scanner, ScannerOptions, ScanRequest } from './port.ts'
import { firstDue, nextDue, nextTry, type Task } from './schedule.ts'
import { chooseTargets, type Refusal, type Target } from './targets.ts'
import { makeTelling } from './telling.ts'
import { ouiVendors } from './vendors.ts'

type Asked = {
  phases: ('quick' | 'detail')[]
  targets: Target[]
  request?: string | undefined
  ids: Map<string, string>
}

const lookAroundMs = 5_000

/**
 *   wait -> due or asked for? -> quick | full picture | detail, one at a time -> inventory saved -> wait
 *
 * Invariants: without a plan nothing is scanned; no packet goes to an address outside own segment and policy; hosts are
 * told when they change and again with each full picture; a full picture is told only of a segment surveyed to the end.
 */
export function makeScanner(options: ScannerOptions): Scanner {
  const { report, clock, random, log, stateDir, ownDecoys } = options
  const telling = makeTelling(options)
  const filter = options.nicFilter ?? defaultNicFilter
  const readNics = options.readNics ?? readInterfaces
  const ports = {
    nmap: options.nmap ?? systemNmap,
    names: options.names ?? reverseDns,
    vendor: ouiVendors(),
    clock,
    onHosts: telling.hosts,
    onGone: telling.gone,
  }
  const cards = makeCards({
    read: readNics,
    filter,
    onFresh: (fresh) => {
      log.info({ segments: fresh.map(({ nic, cidr }) => `${cidr} on ${nic}`) }, 'segments found')
      return telling.segments(fresh)
    },
  })
  const book = makeBook({ stateDir, log })
  const ending = new AbortController()
  let plan: Plan | undefined
  /** What was asked for and waits, and what is being done of it. */
  let asked: Asked | undefined
  let served: Asked | undefined
  let current: { cidr: string; abort: AbortController } | undefined
  let refusedFor = ''
  let wake: () => void = () => {}
  let running: Promise<void> | undefined

  const choose = (policy: Plan['scan'], cidr?: string) =>
    chooseTargets({ segments: cards.all(), policy, ownDecoys: ownDecoys().map(({ ip }) => ip), cidr })

  /** MACs of the fleet's decoys in these segments and of our own: not hosts. */
  const decoyMacs = () => new Set([...(plan?.scan.decoyMacs ?? []), ...ownDecoys().map(({ mac }) => mac)])

  async function run(target: Target, phase: 'quick' | 'detail', signal: AbortSignal, id?: string, request?: string) {
    const { cidr } = target.segment
    const abort = new AbortController()
    current = { cidr, abort }
    const policy = (plan as Plan).scan
    const macs = decoyMacs()
    const state = book.of(cidr)
    const job = { ...newJob(clock, phase, request), ...(id ? { id } : {}) }
    const context = {
      target,
      inventory: state.inventory,
      maxRate: policy.maxRate,
      isDecoy: ({ mac }: { mac?: string }) => mac !== undefined && macs.has(mac),
      signal: AbortSignal.any([signal, abort.signal]),
    }
    try {
      const outcome = await runJob({ report, log, ports }, job, context)
      if (outcome === 'done' && phase === 'quick') state.surveyed = true
      return outcome
    } finally {
      current = undefined
    }
  }

  async function runTask(target: Target, task: Task, signal: AbortSignal): Promise<void> {
    const state = book.of(target.segment.cidr)
    if (task === 'full') {
      if (state.surveyed) await telling.fullPicture(target.segment, state)
    } else {
      const outcome = await run(target, task, signal)
      if (outcome === 'failed') state.due[task] = nextTry((plan as Plan).scan, task, clock.now(), random)
      // What the end of the agent broke off is due again after its start.
      if (outcome === 'failed' || signal.aborted) return book.save()
    }
    state.due[task] = nextDue((plan as Plan).scan, task, clock.now(), random)
    await book.save()
  }

  async function runAsked(job: Asked, signal: AbortSignal): Promise<void> {
    for (const phase of job.phases)
      for (const target of [...job.targets]) {
        // What was cancelled or failed in one segment ends there.
        if (!job.targets.includes(target)) continue
        const id = job.ids.get(`${phase} ${target.segment.cidr}`)
        const outcome = await run(target, phase, signal, id, job.request)
        await book.save()
        if (signal.aborted) return
        if (outcome !== 'done') job.targets = job.targets.filter((other) => other !== target)
      }
  }

  /** Ends what runs and what was asked for, in every segment or only in the one around `cidr`. */
  function cancel(cidr: string | undefined): string[] {
    const isMeant = (one: string) => cidr === undefined || overlaps(one, cidr)
    for (const job of [asked, served])
      if (job) job.targets = job.targets.filter(({ segment }) => !isMeant(segment.cidr))
    if (asked?.targets.length === 0) asked = undefined
    if (!current || !isMeant(current.cidr)) return []
    current.abort.abort(new Error('cancelled on request'))
    return [current.cidr]
  }

  /** Refusals of the plan itself are told once for each revision. */
  async function tellRefusals(refusals: readonly Refusal[]): Promise<void> {
    const told = `${plan?.revision} ${refusals.map(({ cidr, error }) => `${error.code} ${cidr}`).join()}`
    if (refusals.length === 0 || told === refusedFor) return
    refusedFor = told
    for (const refusal of refusals) {
      log.warn({ cidr: refusal.cidr, reason: refusal.error.message }, 'refused to scan')
      await telling.refusal(refusal, 'quick')
    }
  }

  /** One thing that is to be done now; false when there is none. */
  async function step(signal: AbortSignal): Promise<boolean> {
    await cards.look()
    if (asked) {
      served = asked
      asked = undefined
      await runAsked(served, signal).finally(() => {
        served = undefined
      })
      return true
    }
    if (!plan?.scan.enabled) return false
    const decoys = book.dropDecoys(decoyMacs())
    if (decoys.length > 0) await telling.gone(decoys)
    const { targets, refusals } = choose(plan.scan)
    await tellRefusals(refusals)
    const first = firstDue(targets, ({ segment }) => book.of(segment.cidr).due, clock.now())
    if (first) await runTask(...first, signal)
    return first !== undefined
  }

  async function work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const round = new AbortController()
      wake = () => round.abort()
      const busy = await step(signal).catch((error: unknown) => {
        if (!signal.aborted) log.error({ err: error }, 'a scan step failed')
        return false
      })
      if (!busy) await clock.sleep(lookAroundMs, AbortSignal.any([signal, round.signal])).catch(() => undefined)
    }
  }

  async function startScan(op: Extract<ScanRequest, { name: 'scan' }>, request?: string) {
    if (!plan?.scan.enabled) {
      const what = plan ? 'scanning is switched off in the plan of this agent' : 'no plan has reached this agent yet'
      throw new MarshlightError('CONFLICT', {
        what,
        next: 'Nothing is scanned without a policy; send one and ask again.',
      })
    }
    // One may wait for the scan that runs; a second one waiting is too much.
    const busy = asked?.targets[0]?.segment.cidr
    if (busy) throw new MarshlightError('SCAN_BUSY', { cidr: busy })
    await cards.look()
    const { targets, refusals } = choose(plan.scan, op.cidr)
    const phases = op.phase === 'all' ? (['quick', 'detail'] as const) : [op.phase]
    for (const refusal of refusals) await telling.refusal(refusal, phases[0] ?? 'quick', request)
    const refused = refusals[0]?.error
    if (targets.length === 0) throw refused ?? new MarshlightError('SEGMENT_UNKNOWN', { cidr: op.cidr ?? 'the plan' })
    const ids = new Map<string, string>()
    for (const phase of phases)
      for (const { segment } of targets) ids.set(`${phase} ${segment.cidr}`, newJob(clock, phase).id)
    asked = { phases: [...phases], targets, request, ids }
    wake()
    return { scans: [...ids.values()], segments: targets.map(({ segment }) => segment.cidr) }
  }

  return {
    name: 'scan',
    async start(signal) {
      const damage = await book.open(clock.now())
      if (damage) {
        log.error(damage, 'the held inventory was damaged and set aside')
        await telling.damage(damage)
      }
      const until = AbortSignal.any([signal, ending.signal])
      running = work(until)
    },
    async stop() {
      ending.abort()
      await running
    },
    applyPlan(next) {
      plan = next
      book.shorten(next.scan, clock.now())
      wake()
    },
    async request(op, requestId) {
      switch (op.name) {
        case 'scan':
          return startScan(op, requestId)
        case 'scan.cancel':
          return { cancelled: cancel(op.cidr) }
        case 'full-picture': {
          const surveyed = cards.all().flatMap((nic) => {
            const state = book.of(nic.cidr)
            return state.surveyed ? [{ nic, state }] : []
          })
          let hosts = 0
          for (const { nic, state } of surveyed) hosts += await telling.fullPicture(nic, state)
          return { segments: surveyed.map(({ nic }) => nic.cidr), hosts }
        }
      }
    },
    hosts: () => book.hosts(),
    interfaces: () => readNics(filter),
    async cleanup() {
      await rm(heldPath(stateDir), { force: true })
    },
  }
}

import { wordsOf } from '../../shared/errors.ts'
import { centreOf } from './centre.ts'
import { p50AndP95 } from './figures.ts'
import { down, type Lab, type LabLayout, up } from './lab/index.ts'
import { type KeySample, manySources, passwordAttack, portScan } from './step-attack.ts'
import { auditDecoys } from './step-audit.ts'
import { feelDrift, seeAdaptation, seeScores } from './step-drift.ts'
import { type Engagement, engage, proveBlocked } from './step-engage.ts'
import { decisionToEnforced, keyToAlert, recordSums } from './step-figures.ts'
import { discover, enrolFleet, growDecoys } from './step-fleet.ts'
import { decoysNow, reaches, type ShownDecoy, type Stage } from './story.ts'
import type { Summary } from './summary.ts'
import type { StepResult, Timeline } from './timeline.ts'

export const demoName = 'marshlight-demo'
const decoysPerSegment = 2
const sources = 10

/** Settings that make the story fit into minutes; everything else is as `marshlight init` leaves it. */
const controllerConfig = ({ machines }: LabLayout) => ({
  decoys: {
    perSegment: decoysPerSegment,
    maxPerSegment: 5,
    waitForDetailSeconds: 20,
    // The story asks for its audits itself, so that none falls into an attack.
    audit: { enabled: false, limit: 0 },
    egress: machines
      .filter(({ role }) => role === 'payload-server')
      .map(({ ip }) => ({ cidr: `${ip}/32`, proto: 'tcp', port: 80 })),
  },
  scan: { maxRate: 2000 },
  // Far apart, so that each consequence can be seen for itself.
  // Visits end within the story; failures and altered contents would change what its attackers do.
  // What would be hours of an office are minutes here.
  observe: { windowSeconds: 10 },
  drift: { everySeconds: 30, lookbackMinutes: 3 },
  adaptation: { idleMinutes: 0.2, types: ['latency'], strongest: 'low' },
  risk: { thresholds: { alert: 70, deploy: 85, reconfigure: 94, block: 98.5 } },
})

type Options = {
  keep: boolean
  /** Breaks the story off; all of it is removed before `runDemo` ends. */
  signal: AbortSignal
}

/** Runs the story to its end, or to the step that failed; nothing of it is left but the appliances' image stores, unless `keep`. */
export async function runDemo(timeline: Timeline, { keep, signal }: Options): Promise<Summary> {
  const began = Date.now()
  const steps: StepResult[] = []
  const summary: Summary = {
    hosts: { present: 0, found: 0 },
    decoys: { ready: 0 },
    firstDecoySeconds: null,
    audit: { score: null, touchMs: null },
    keyToAlertMs: { p50: null, p95: null },
    decisionToEnforcedMs: { p50: null, p95: null },
    records: { sent: 0, committed: 0, lost: 0, duplicated: 0 },
    blocked: { decoys: false, gateway: false },
    drift: null,
    adaptation: null,
    scores: null,
    steps,
  }

  async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
    timeline.step(name)
    const start = Date.now()
    const seconds = () => Math.round((Date.now() - start) / 100) / 10
    try {
      const result = await work()
      steps.push({ name, ok: true, seconds: seconds() })
      return result
    } catch (error) {
      steps.push({ name, ok: false, seconds: seconds(), error: wordsOf(error) })
      timeline.tell(`FAILED: ${wordsOf(error)}`)
      throw error
    }
  }

  let lab: Lab | undefined
  const atEnd: (() => void)[] = []
  try {
    lab = await step('The lab: two segments, a gateway, an outside, a controller', () =>
      up({
        name: demoName,
        controllerConfig,
        keepImages: true,
        signal,
        progress: (what) => timeline.progress(`starting ${what}`),
      }),
    )
    const stage: Stage = { lab, centre: centreOf(lab), timeline, began, atEnd }
    await orBrokenOff(tell(stage, step, summary), signal)
  } catch (error) {
    if (steps.every(({ ok }) => ok)) throw error
  }
  for (const end of atEnd) end()
  if (keep && lab && !signal.aborted) tellWhatToLookAt(timeline)
  else await down(demoName, { keepImages: true })
  return summary
}

/** The work, or the signal's reason as soon as it comes: steps wait for minutes, and what they wait for is removed. */
async function orBrokenOff(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const leave = () => reject(signal.reason)
  signal.addEventListener('abort', leave, { once: true })
  try {
    signal.throwIfAborted()
    await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', leave)
    work.catch(() => undefined)
  }
}

type Step = <T>(name: string, work: () => Promise<T>) => Promise<T>

async function tell(stage: Stage, step: Step, summary: Summary): Promise<void> {
  const { lab } = stage
  await step('Enrolment: one token each', () => enrolFleet(stage))
  const [discovered, grew] = await Promise.allSettled([
    step('Discovery: the agents are told nothing', async () => {
      summary.hosts = await discover(stage, 120)
      if (summary.hosts.found < summary.hosts.present)
        throw new Error(`found ${summary.hosts.found} of ${summary.hosts.present} hosts`)
    }),
    step('Decoys: personas like their neighbours, on free addresses', () => growDecoys(stage, decoysPerSegment)),
  ])
  if (discovered.status === 'rejected') throw discovered.reason
  if (grew.status === 'rejected') throw grew.reason
  const grown = grew.value
  summary.firstDecoySeconds = Math.round(grown.firstSeconds * 10) / 10

  const inSegment = (name: string): ShownDecoy[] =>
    grown.decoys.filter(({ segmentName, guessable }) => guessable && segmentName?.endsWith(name))
  const cidrOf = (name: string) => lab.segments.find((segment) => segment.name === name)?.cidr ?? ''
  await step('The audit: a neighbour’s look at a decoy of each segment, and a test touch', async () => {
    summary.audit = await auditDecoys(stage, [firstOf(inSegment('seg-a')), firstOf(inSegment('seg-b'))])
  })
  const logins = await step('An attack from outside: a scan, then passwords', async () => {
    await portScan(stage, 'attacker-outside', cidrOf('seg-a'))
    // What is refused in the end must have been possible in the beginning.
    if (!(await reaches(stage, 'attacker-outside', lab.machine('web-01').ip, 80)))
      throw new Error('web-01 is not reachable from outside')
    return passwordAttack(stage, 'attacker-outside', firstOf(inSegment('seg-a')))
  })
  const samples: KeySample[] = await step(
    `${sources} more sources log in and type: from the Enter key to the alert`,
    () => manySources(stage, 'attacker-outside', logins, sources),
  )
  await step('Drift: injected into an open session, felt, measured, and chosen by what keeps attackers', async () => {
    summary.drift = await feelDrift(stage, 'attacker-outside', logins)
    summary.adaptation = await seeAdaptation(
      stage,
      samples.map(({ source }) => source),
    )
  })
  const outside: Engagement = await step('Commands and a payload: more decoys, another face, a block', () =>
    engage(stage, 'attacker-outside', logins, grown.decoys),
  )
  const inside: Engagement = await step('A second attacker, inside the other segment', async () => {
    const before = await decoysNow(stage)
    await portScan(stage, 'attacker-inside', cidrOf('seg-b'))
    const login = await passwordAttack(stage, 'attacker-inside', firstOf(inSegment('seg-b')))
    return engage(stage, 'attacker-inside', login, before)
  })
  await step('Blocked: the next connection is refused, at the decoys and at the gateway', async () => {
    summary.blocked = await proveBlocked(stage, outside, inside)
    if (!summary.blocked.decoys || !summary.blocked.gateway) throw new Error('a blocked attacker still gets through')
  })
  await step('What was measured', async () => {
    summary.scores = await seeScores(stage)
    summary.keyToAlertMs = p50AndP95(await keyToAlert(stage, samples))
    summary.decisionToEnforcedMs = p50AndP95(await decisionToEnforced(stage))
    summary.records = await recordSums(stage)
    summary.decoys.ready = (await decoysNow(stage)).filter(({ phase }) => phase === 'ready').length
    const { lost, duplicated } = summary.records
    if (lost !== 0 || duplicated !== 0) throw new Error(`${lost} records lost, ${duplicated} doubled`)
  })
}

function firstOf(decoys: readonly ShownDecoy[]): ShownDecoy {
  const [first] = decoys
  if (!first) throw new Error('no decoy of the segment has SSH')
  return first
}

function tellWhatToLookAt(timeline: Timeline): void {
  timeline.step('Left running. Look at it:')
  for (const command of [
    'agents',
    'segments map',
    'decoys',
    'drift',
    'sessions',
    'sources',
    'blocks',
    'alerts --follow',
  ])
    timeline.tell(`docker exec -it ${demoName}-controller marshlight ${command}`)
  timeline.tell('npm run demo -- --down removes it')
}

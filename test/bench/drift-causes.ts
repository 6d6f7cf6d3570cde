import { execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Alert } from '../../controller/alerts/index.ts'
import type { ApiClient } from '../../controller/cli/client.ts'
import type { StandingRow } from '../../controller/detection/index.ts'
import { makeSegment, type Segment } from '../lab/decoys-segment.ts'
import { startAppliance } from './appliance.ts'
import { type CleanUp, cleanedUp } from './clean-up.ts'
import { end } from './controller.ts'
import { isOnline, startWithAppliance } from './latency.ts'
import type { Bench } from './row.ts'
import { until } from './until.ts'

const third = 227
const decoys = 4
/** Nobody comes to the last one. */
const visited = 3
const visitsASecond = 10
/** Time is compressed: a look at one minute each ten seconds, where an hour each five minutes is usual. */
const config = {
  scan: { enabled: false },
  decoys: { audit: { enabled: false }, perSegment: 0, ranges: [`198.18.${third}.192/26`] },
  risk: { thresholds: { alert: 78, deploy: 100, reconfigure: 100, block: 100 }, autoBlock: false },
  drift: { everySeconds: 10, lookbackMinutes: 1 },
  observe: { windowSeconds: 5, ringMb: 1 },
  adaptation: { enabled: false },
  mimicry: { level: 'low' },
}
const calmSeconds = 130
const visitors = join(import.meta.dirname, '../lab/drift-service.py')
const run = (command: string, ...argv: string[]) =>
  execFileSync(command, argv, { encoding: 'utf8', stdio: 'pipe' }).trim()

type Cause = 'interference' | 'network' | 'shortage' | 'unclear'
type Decoy = { id: string; hostname: string; ip: string; phase: string }
/** Makes the trouble; what it gives ends it. */
type Trouble = () => (() => unknown) | Promise<() => unknown>

/**
 * Interference, network trouble and shortage told apart the whole way: web decoys in their pods that a neighbour visits
 * all the time, their packets captured by an agent as it is shipped, its windows and its health over MQTT to a controller
 * of its own, the controller's rounds, alerts and risk. Somebody stops and continues one decoy's services; then the
 * segment lets through little; then the machine has other work than decoys. In the calm between, nothing may be told. One
 * decoy is visited by nobody, and all of them have mimicry, as a fleet has.
 */
export const driftCausesBench: Bench = {
  names: ['drift.causes_told_apart', 'drift.causes_false_alerts', 'drift.cause_seconds'],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const segment = makeSegment({ teardown: cleanUp.add }, third)
      const { controller, identity } = await startWithAppliance(cleanUp, segment, config)
      const { child } = await startAppliance(cleanUp, segment, identity, { health: { everySeconds: 2 } })
      child.once('exit', (code, signal) => progress(`the agent ended: ${code ?? signal}`))
      await isOnline(controller)
      progress(`waiting for ${decoys} decoys`)
      const standing = await deployWebs(controller.api)
      visitThem(cleanUp, segment, standing.slice(0, visited))
      progress(`${calmSeconds} s in which nothing is wrong`)
      await delay(calmSeconds * 1000)
      const watch = makeWatch(controller.api, standing, progress)
      let [right, wrong] = [0, (await watch.open()).length]
      const seconds: number[] = []
      const [first] = standing as [Decoy]
      const troubles: [Cause, string, Trouble][] = [
        ['interference', first.id, () => pulses(first.id)],
        ['network', 'lan', () => narrow(segment)],
        ['shortage', 'appliance', () => burn(cleanUp)],
      ]
      for (const [cause, subject, trouble] of troubles) {
        const began = performance.now()
        const cease = await trouble()
        const told = await watch.during(cause)
        await cease()
        if (told.right) {
          right++
          seconds.push(told.seconds)
        }
        wrong += told.wrong
        progress(`${cause} at ${subject}: ${told.right ? 'told' : 'not told'} after ${told.seconds.toFixed(0)} s`)
        await watch.calm()
        progress(`it was over ${((performance.now() - began) / 1000).toFixed(0)} s after it began`)
      }
      const { reasons } = await controller.api.get<{ reasons: { evidence: string }[] }>(`/v1/sources/198.18.${third}.9`)
      const weighs = reasons.some(({ evidence }) => evidence === 'drift.interference')
      progress(`against the visitor speaks: ${reasons.map(({ evidence }) => evidence).join(', ')}`)
      if (!weighs) throw new Error('interference did not become risk of who was there')
      return [
        row('causes_told_apart', right, 'of 3', 'higher', 3),
        row('causes_false_alerts', wrong, 'alerts', 'lower', 0),
        row('cause_seconds', Math.max(...seconds), 's', 'lower', null),
      ]
    }),
}

const row = (name: string, value: number, unit: string, better: 'higher' | 'lower', target: number | null) => ({
  ...{ name: `drift.${name}`, value, unit, better, target, reference: null },
})

async function deployWebs(api: ApiClient): Promise<Decoy[]> {
  const wish = { segment: 'lan', family: 'web-server-debian-12' }
  for (let i = 0; i < decoys; i++) await api.post('/v1/decoys', wish)
  const all = async () => (await api.get<{ items: Decoy[] }>('/v1/decoys')).items
  await until(async () => (await all()).filter(({ phase }) => phase === 'ready').length === decoys, 'decoys', 180)
  return all()
}

function visitThem(cleanUp: CleanUp, { neighbour }: Segment, standing: readonly Decoy[]): void {
  const argv = ['python3', visitors, 'stay', String(visitsASecond), ...standing.map(({ ip }) => ip)]
  const child = spawn('ip', ['netns', 'exec', neighbour, ...argv], { stdio: ['ignore', 'ignore', 'inherit'] })
  cleanUp.add(() => end(child))
}

/** Somebody stops and continues all that serves the web at one decoy. */
function pulses(decoy: string): () => Promise<void> {
  const container = `marshlight-${decoy}-web`
  const [, ...pids] = run('docker', 'top', container, '-eo', 'pid').split('\n').map(Number)
  const tell = (signal: 'SIGSTOP' | 'SIGCONT') => {
    for (const pid of pids) process.kill(pid, signal)
  }
  let on = true
  const done = (async () => {
    for (; on; await delay(40)) {
      tell('SIGSTOP')
      await delay(200)
      tell('SIGCONT')
    }
  })()
  return () => {
    on = false
    return done
  }
}

/** All that decoys say to the neighbour, some 260 kbit/s, goes through half of that: its port of the segment's switch. */
function narrow({ bridge }: Segment): () => void {
  const at = ['-n', bridge, 'qdisc']
  run('tc', ...at, 'add', 'dev', 'p1', 'root', 'tbf', 'rate', '75kbit', 'burst', '3000', 'latency', '2s')
  return () => run('tc', ...at, 'del', 'dev', 'p1', 'root')
}

/** Other work of the machine, which comes before decoys; it ends by itself. */
function burn(cleanUp: CleanUp): () => void {
  const name = 'detection-burner'
  const loop = 'timeout 100 sh -c "while :; do :; done"'
  const options = ['--rm', '--name', name, '--network', 'none', '--cpu-shares', '16384', '--entrypoint', 'sh']
  run('docker', 'run', '-d', ...options, 'marshlight/services:dev', '-c', `${`${loop} & `.repeat(8)} wait`)
  const cease = () => run('sh', '-c', `docker rm -f ${name} >/dev/null 2>&1 || :`)
  cleanUp.add(cease)
  return cease
}

function makeWatch(api: ApiClient, standing: readonly Decoy[], progress: (what: string) => void) {
  const open = async () => (await api.get<{ items: Alert[] }>('/v1/alerts?kind=drift&status=open')).items
  const looks = async () =>
    (
      await Promise.all(
        standing.map(async ({ id }) => (await api.get<{ items: StandingRow[] }>(`/v1/drift/scores/${id}`)).items),
      )
    ).flat()
  const causeOf = ({ title }: Alert): Cause =>
    /alone/.test(title)
      ? 'interference'
      : /network/.test(title)
        ? 'network'
        : /unclear/.test(title)
          ? 'unclear'
          : 'shortage'
  const shown = (one: StandingRow) => {
    const top = one.findings.find(({ significant, whose }) => significant && whose !== 'visitors')
    return `${one.hostname} ${one.score} ${top ? `${top.feature}: ${top.words} (n ${top.n}, q ${top.q.toExponential(0)})` : '-'} ${one.cause ?? ''}`
  }
  return {
    open,
    /** Until the cause is told, and two rounds more; alerts that name another cause are wrong, those that name none are not right. */
    async during(cause: Cause) {
      const began = performance.now()
      const [wrong, unclear] = [new Set<string>(), new Set<string>()]
      let told: number | undefined
      const over = () => performance.now() - began > (told === undefined ? 90_000 : told * 1000 + 15_000)
      while (!over()) {
        for (const alert of await open()) {
          if (causeOf(alert) === 'unclear') {
            if (!unclear.has(alert.id)) progress(`unclear: ${alert.title}: ${alert.reasons.join(' | ')}`)
            unclear.add(alert.id)
          } else if (causeOf(alert) !== cause) {
            if (!wrong.has(alert.id)) progress(`WRONG: ${alert.title}: ${alert.reasons.join(' | ')}`)
            wrong.add(alert.id)
          } else if (told === undefined) {
            told = (performance.now() - began) / 1000
            progress(`${alert.title}: ${alert.reasons.join(' | ')}`)
          }
        }
        await delay(500)
      }
      for (const one of await looks()) progress(shown(one))
      return { right: told !== undefined, wrong: wrong.size, seconds: told ?? 90 }
    },
    /** Until no alert is open, and nothing of the trouble is looked at any more. */
    async calm() {
      const began = performance.now()
      await delay(70_000)
      await until(async () => (await open()).length === 0, 'all alerts are settled', 60).catch(async (error) => {
        for (const one of await looks()) progress(`still: ${shown(one)}`)
        throw error
      })
      return (performance.now() - began) / 1000
    },
  }
}

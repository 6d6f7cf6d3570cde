import { cleanedUp } from './clean-up.ts'
import { prepareController } from './controller.ts'
import { checkCommitted, makeCrowd, type Return } from './crowd.ts'
import { type Bench, percentileOf, type Row } from './row.ts'

const agents = 1000
const witnesses = 10
const backlog = 50
const awayMs = 20_000
const config = { scan: { enabled: false }, decoys: { audit: { enabled: false }, perSegment: 0 } }

/**
 * A thousand agents, each with a certificate of its own, lose their controller to a kill -9, gather 50 events each while it
 * is away for 20 s, and come back: seconds from the moment at which it serves again until all are online by its own book and all is
 * committed. Ten of them are back at once and have an alert to tell twice a second: what those who are in feel of the
 * others, until it is acknowledged, and until it stands in the controller's stream of alerts. Asserted: nothing is lost,
 * nothing is there twice. The agents are three processes (crowd-agents.ts says what of an agent they have), the controller
 * is one with all its parts; they share this machine's cores. Beside it the same crowd, next, that comes back in step to a
 * controller that lets all in at once.
 */
export const fieldCrowdBench: Bench = {
  names: [
    'fleet.reconnect_1000_seconds',
    'fleet.reconnect_1000_agent_p95',
    'fleet.reconnect_1000_live_p95',
    'fleet.reconnect_1000_live_alert_p95',
    'fleet.reconnect_1000_controller_cpu',
    'fleet.reconnect_1000_controller_mb',
    'fleet.reconnect_1000_at_once',
    'fleet.reconnect_1000_failed',
  ],
  run: (progress) => crowdFigures({ agents, witnesses, backlog, awayMs }, progress),
}

export const crowdFigures = (
  { agents, witnesses, backlog, awayMs }: { agents: number; witnesses: number; backlog: number; awayMs: number },
  progress: (what: string) => void,
): Promise<Row[]> =>
  cleanedUp(async (cleanUp) => {
    progress(`enrolling ${agents} agents`)
    const wishes = Array.from({ length: agents }, (_, i) => ({ name: `box-${i}`, roles: ['decoys' as const] }))
    const prepared = await prepareController('127.0.0.1', wishes, config)
    cleanUp.add(() => prepared.remove())
    progress('they connect')
    const crowd = await makeCrowd(cleanUp, prepared, witnesses)
    progress('the controller is killed')
    const spread = await crowd.outage({ spread: true, backlog, awayMs })
    progress(`spread, let in by what it bears: ${wordsOf(spread)}`)
    const inStep = await crowd.outage({ spread: false, backlog, awayMs })
    progress(`in step, let in all at once: ${wordsOf(inStep)}`)
    await crowd.end()
    await checkCommitted(prepared.dataDir, { streams: agents - witnesses, each: 2 * backlog })
    const row = (name: string, unit: string, of: (one: Return) => number, target: number | null = null): Row => ({
      name: `fleet.reconnect_1000_${name}`,
      value: of(spread),
      unit,
      better: 'lower',
      target,
      reference: of(inStep),
    })
    return [
      row('seconds', 's', ({ seconds }) => seconds, 60),
      row('agent_p95', 's', ({ agents }) => percentileOf(agents, 95)),
      row('live_p95', 'ms', ({ live }) => percentileOf(live.acknowledged, 95)),
      row('live_alert_p95', 'ms', ({ live }) => percentileOf(live.alerted, 95)),
      row('controller_cpu', 's', ({ cpuSeconds }) => cpuSeconds),
      row('controller_mb', 'MB', ({ rssMb }) => rssMb),
      row('at_once', 'agents', ({ arrivals }) => arrivals.mostEntering),
      row('failed', 'connections', failedOf),
    ]
  })

/** Connections that came as far as the controller and had to be made again. */
const failedOf = ({ failures }: Return): number => failures.CONTROLLER_BUSY ?? 0

const wordsOf = ({ seconds, agents, connected, live, rssMb, cpuSeconds, failures, arrivals, silent }: Return): string =>
  `${seconds.toFixed(1)} s, an agent's p50 ${percentileOf(agents, 50).toFixed(1)} s, p95 ${percentileOf(agents, 95).toFixed(1)} s ` +
  `(connected: ${percentileOf(connected, 95).toFixed(1)} s), live p95 ${percentileOf(live.acknowledged, 95)} ms, alert ${percentileOf(live.alerted, 95)} ms ` +
  `of ${live.alerted.length}, ${Math.round(rssMb)} MB, ${cpuSeconds.toFixed(1)} s of processor, at once ${arrivals.mostEntering}, ` +
  `waiting ${arrivals.mostWaiting}, told to come later ${arrivals.turnedAway}, alerts of silence ${silent}, failed ${JSON.stringify(failures)}`

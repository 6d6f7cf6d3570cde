import { cleanedUp } from './clean-up.ts'
import { prepareController } from './controller.ts'
import { checkCommitted, outage, type Return } from './crowd.ts'
import { type Bench, percentileOf, type Row } from './row.ts'

const agents = 1000
const backlog = 100
const awayMs = 20_000
const config = { scan: { enabled: false }, decoys: { audit: { enabled: false }, perSegment: 0 } }

/**
 * A thousand agents, each with a certificate of its own, lose their controller to a kill -9, gather 100 events each while it
 * is away for 20 s, and come back: seconds from the start of its process until all are online by its own book and all is
 * committed. Asserted: none is lost, none is there twice. The agents are two processes (crowd-agents.ts says what of an
 * agent they have), the controller is one with all its parts; they share this machine's cores. Then the same once more
 * with agents that come back in step and a controller that lets all in at once; that is the reference.
 */
export const fieldCrowdBench: Bench = {
  names: [
    'fleet.reconnect_1000_seconds',
    'fleet.reconnect_1000_agent_p95',
    'fleet.reconnect_1000_controller_cpu',
    'fleet.reconnect_1000_controller_mb',
    'fleet.reconnect_1000_at_once',
  ],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      progress(`enrolling ${agents} agents`)
      const wishes = Array.from({ length: agents }, (_, i) => ({ name: `box-${i}`, roles: ['decoys' as const] }))
      const prepared = await prepareController('127.0.0.1', wishes, config)
      cleanUp.add(() => prepared.remove())
      const spread = await outage(prepared, { spread: true, backlog, awayMs }, progress)
      await checkCommitted(prepared.dataDir, { streams: agents, backlog })
      progress(`spread, let in a few at a time: ${wordsOf(spread)}`)
      const inStep = await outage(prepared, { spread: false, backlog, awayMs }, progress)
      await checkCommitted(prepared.dataDir, { streams: 2 * agents, backlog })
      progress(`in step, let in all at once: ${wordsOf(inStep)}`)
      const row = (name: string, unit: string, of: (one: Return) => number, target: number | null = null): Row => ({
        name: `fleet.reconnect_1000_${name}`,
        value: of(spread),
        unit,
        better: 'lower',
        target,
        reference: of(inStep),
      })
      return [
        row('seconds', 's', ({ seconds }) => seconds, 30),
        row('agent_p95', 's', ({ agents }) => percentileOf(agents, 95)),
        row('controller_cpu', 's', ({ cpuSeconds }) => cpuSeconds),
        row('controller_mb', 'MB', ({ rssMb }) => rssMb),
        row('at_once', 'agents', ({ arrivals }) => arrivals.mostEntering),
      ]
    }),
}

const wordsOf = ({ seconds, agents, connected, rssMb, cpuSeconds, failures, arrivals, silent }: Return): string =>
  `${seconds.toFixed(1)} s, an agent's p50 ${percentileOf(agents, 50).toFixed(1)} s, p95 ${percentileOf(agents, 95).toFixed(1)} s ` +
  `(connected: ${percentileOf(connected, 95).toFixed(1)} s), ${Math.round(rssMb)} MB, ${cpuSeconds.toFixed(1)} s of processor, at once ${arrivals.mostEntering}, ` +
  `waiting ${arrivals.mostWaiting}, told to come later ${arrivals.turnedAway}, alerts of silence ${silent}, failed ${JSON.stringify(failures)}`

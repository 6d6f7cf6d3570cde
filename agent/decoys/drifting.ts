import { z } from 'zod'
import { type Clock, isoNow } from '../../shared/clock.ts'
import type { Log } from '../../shared/log.ts'
import { ipv4, untrusted } from '../../shared/schemas/common.ts'
import type { DesiredDecoy, Plan } from '../../shared/schemas/desired-state.ts'
import { type DecoyDrift, type DriftEffect, driftType } from '../../shared/schemas/drift.ts'
import type { DecoyEvent } from '../../shared/schemas/event.ts'
import type { Notice } from '../../shared/schemas/state.ts'
import { type Engine, type KeptProcess, keepProcess } from '../engine/index.ts'
import type { Report } from '../spool/port.ts'
import type { CurrentDecoy } from './current.ts'

/**
 * The process in a pod by which drift reaches every port but Cowrie's: there exactly while a decoy has such drift, one for
 * each run of a pod. It follows `control/drift.json` by itself and tells what is in force, and what of it was felt, which goes
 * into the spool among the decoy's events; it outlives this agent, and the next that is started takes over. A decoy whose drift cannot be applied goes on without, and that is a notice.
 */

const mark = z.string().max(16)
const feltRow = z.object({
  source: ipv4,
  port: z.int().min(0).max(65_535),
  type: driftType,
  what: z.string().max(16),
  count: z.int().min(1),
  ms: z.number().min(0),
})
const line = z.union([
  z.object({ ok: z.literal(true), mark, leftOut: z.array(z.string().max(32)).max(16) }),
  z.object({ ok: z.literal(false), mark, error: untrusted(300) }),
  z.object({ felt: z.array(feltRow).max(256), mark }),
])

export type DriftingDeps = {
  engine: Pick<Engine, 'attach'>
  clock: Clock
  log: Log
  notify: (level: Notice['level'], code: string, message: string, data: NonNullable<Notice['data']>) => void
  report: Report
}
type FeltRow = z.infer<typeof feltRow> & { mark: string }
type Kept = { run: string; process: KeptProcess; decoy: DesiredDecoy; revision: number; told?: string }

/** Whether packets can be made to do this; what cannot be done is told by the pod. */
const onPackets = (effect: DriftEffect): boolean =>
  effect.type === 'error' ? effect.kind !== 'disk' : effect.type === 'alteration' ? effect.what !== 'listing' : true

const driftsOf = ({ everyone, views }: DecoyDrift) => [everyone, ...views.map((view) => view.drift)]

/** Whether a decoy needs the process: it has services besides Cowrie, and drift that concerns them. */
export const driftsInNetwork = ({ services, drift }: Pick<DesiredDecoy, 'services' | 'drift'>): boolean =>
  drift !== undefined &&
  services.some((service) => service !== 'cowrie') &&
  driftsOf(drift).some((one) => one?.effects.some(onPackets))

export function makeDrifting({ engine, clock, log, notify, report }: DriftingDeps) {
  const kept = new Map<string, Kept>()

  function heard(one: Kept, text: string): void {
    const { id: decoy, ip } = one.decoy
    const said = line.safeParse(parsed(text))
    if (!said.success) {
      log.warn({ decoy, text: text.slice(0, 300) }, 'what the process of drift said is not known')
      return
    }
    if ('felt' in said.data) {
      const events = said.data.felt.map((row) => feltEvent(one, { ...row, mark: said.data.mark }, isoNow(clock)))
      void report('events', events).catch((error) => log.error({ decoy, err: error }, 'felt drift could not be told'))
      return
    }
    if (!said.data.ok) {
      const message = `drift of decoy ${ip} is not applied to its services: ${said.data.error}`
      notify('warning', 'DRIFT_NOT_APPLIED', message, { decoy })
      return
    }
    log.info({ decoy, mark: said.data.mark, leftOut: said.data.leftOut }, 'drift in force in the network of a decoy')
    const leftOut = said.data.leftOut.join(', ')
    if (leftOut !== '' && leftOut !== one.told)
      notify('info', 'DRIFT_LEFT_OUT', `of the drift of decoy ${ip}, SSH and telnet alone take: ${leftOut}`, {
        decoy,
      })
    one.told = leftOut
  }

  function begin(decoy: DesiredDecoy, revision: number, run: string, pod: string): void {
    const argv = ['marshlight-pod', 'drift']
    const onLine = (text: string) => heard(one, text)
    const process = keepProcess({ engine, clock, log }, { container: pod, argv, onLine })
    const one: Kept = { run, process, decoy, revision }
    kept.set(decoy.id, one)
  }

  return {
    /** Begins and ends processes as these decoys, on these pods, shall have them. */
    follow(
      { decoys: desired, revision }: Pick<Plan, 'decoys' | 'revision'>,
      seenOf: (decoy: string) => CurrentDecoy,
    ): void {
      const wanted = new Map(desired.filter(driftsInNetwork).map((decoy) => [decoy.id, decoy]))
      for (const [id, one] of kept) {
        const run = wanted.has(id) ? runOf(seenOf(id)) : undefined
        if (run === one.run) {
          Object.assign(one, { decoy: wanted.get(id), revision })
          continue
        }
        kept.delete(id)
        void one.process.stop()
      }
      for (const [id, decoy] of wanted) {
        const { pod } = seenOf(id)
        const run = runOf(seenOf(id))
        if (pod && run !== undefined && !kept.has(id)) begin(decoy, revision, run, pod.id)
      }
    },
    async stop(): Promise<void> {
      const all = [...kept.values()]
      kept.clear()
      await Promise.all(all.map(({ process }) => process.stop()))
    },
  }
}

/** What a source felt of drift, as Cowrie tells it of its own sessions. */
const feltEvent = ({ decoy, revision }: Kept, { source, port, ...data }: FeltRow, at: string): DecoyEvent => ({
  ...{ type: 'event', at, decoy: decoy.id, persona: decoy.persona, personaVersion: decoy.personaVersion, revision },
  ...{ service: 'pod', kind: 'other', source: 'marshlight.drift', data },
  src: { ip: source, ...(port > 0 && { port }) },
})

const runOf = ({ pod }: CurrentDecoy): string | undefined =>
  pod?.running ? `${pod.id} ${pod.startedAt ?? ''}` : undefined

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

import { z } from 'zod'
import type { Clock } from '../../shared/clock.ts'
import type { Log } from '../../shared/log.ts'
import { untrusted } from '../../shared/schemas/common.ts'
import type { DesiredDecoy } from '../../shared/schemas/desired-state.ts'
import type { DecoyDrift, DriftEffect } from '../../shared/schemas/drift.ts'
import type { Notice } from '../../shared/schemas/state.ts'
import { type Engine, type KeptProcess, keepProcess } from '../engine/index.ts'
import type { CurrentDecoy } from './current.ts'

/**
 * The process in a pod by which drift reaches every port but Cowrie's: there exactly while a decoy has such drift, one for
 * each run of a pod. It follows `control/drift.json` by itself and tells what is in force; it outlives this agent, and the
 * next that is started takes over. A decoy whose drift cannot be applied goes on without, and that is a notice.
 */

const line = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), mark: z.string().max(16), leftOut: z.array(z.string().max(32)).max(16) }),
  z.object({ ok: z.literal(false), mark: z.string().max(16), error: untrusted(300) }),
])

export type DriftingDeps = {
  engine: Pick<Engine, 'attach'>
  clock: Clock
  log: Log
  notify: (level: Notice['level'], code: string, message: string, data: NonNullable<Notice['data']>) => void
}
type Kept = { run: string; process: KeptProcess; ip: string; told?: string }

/** Whether packets can be made to do this; what cannot be done is told by the pod. */
const onPackets = (effect: DriftEffect): boolean =>
  effect.type === 'error' ? effect.kind !== 'disk' : effect.type === 'alteration' ? effect.what !== 'listing' : true

const driftsOf = ({ everyone, views }: DecoyDrift) => [everyone, ...views.map((view) => view.drift)]

/** Whether a decoy needs the process: it has services besides Cowrie, and drift that concerns them. */
export const driftsInNetwork = ({ services, drift }: Pick<DesiredDecoy, 'services' | 'drift'>): boolean =>
  drift !== undefined &&
  services.some((service) => service !== 'cowrie') &&
  driftsOf(drift).some((one) => one?.effects.some(onPackets))

export function makeDrifting({ engine, clock, log, notify }: DriftingDeps) {
  const kept = new Map<string, Kept>()

  function heard(decoy: string, one: Kept, text: string): void {
    const said = line.safeParse(parsed(text))
    if (!said.success) {
      log.warn({ decoy, text: text.slice(0, 300) }, 'what the process of drift said is not known')
      return
    }
    if (!said.data.ok) {
      const message = `drift of decoy ${one.ip} is not applied to its services: ${said.data.error}`
      notify('warning', 'DRIFT_NOT_APPLIED', message, { decoy })
      return
    }
    log.info({ decoy, mark: said.data.mark, leftOut: said.data.leftOut }, 'drift in force in the network of a decoy')
    const leftOut = said.data.leftOut.join(', ')
    if (leftOut !== '' && leftOut !== one.told)
      notify('info', 'DRIFT_LEFT_OUT', `of the drift of decoy ${one.ip}, SSH and telnet alone take: ${leftOut}`, {
        decoy,
      })
    one.told = leftOut
  }

  function begin({ id, ip }: DesiredDecoy, run: string, pod: string): void {
    const argv = ['marshlight-pod', 'drift']
    const onLine = (text: string) => heard(id, one, text)
    const process = keepProcess({ engine, clock, log }, { container: pod, argv, onLine })
    const one: Kept = { run, process, ip }
    kept.set(id, one)
  }

  return {
    /** Begins and ends processes as these decoys, on these pods, shall have them. */
    follow(desired: readonly DesiredDecoy[], seenOf: (decoy: string) => CurrentDecoy): void {
      const wanted = new Map(desired.filter(driftsInNetwork).map((decoy) => [decoy.id, decoy]))
      for (const [id, one] of kept) {
        const run = wanted.has(id) ? runOf(seenOf(id)) : undefined
        if (run === one.run) continue
        kept.delete(id)
        void one.process.stop()
      }
      for (const [id, decoy] of wanted) {
        const { pod } = seenOf(id)
        const run = runOf(seenOf(id))
        if (pod && run !== undefined && !kept.has(id)) begin(decoy, run, pod.id)
      }
    },
    async stop(): Promise<void> {
      const all = [...kept.values()]
      kept.clear()
      await Promise.all(all.map(({ process }) => process.stop()))
    },
  }
}

const runOf = ({ pod }: CurrentDecoy): string | undefined =>
  pod?.running ? `${pod.id} ${pod.startedAt ?? ''}` : undefined

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

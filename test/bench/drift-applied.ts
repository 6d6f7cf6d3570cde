import { driftMark } from '../../shared/drift-mark.ts'
import { type DriftEffect, decoyDrift } from '../../shared/schemas/drift.ts'
import { wilson } from '../../shared/statistics/index.ts'
import { MeasuringClient } from '../drift/measured-ssh.ts'
import { type Applied, deviation, medianOf, waitsOf } from '../drift/measured-ssh-lines.ts'
import { personaOf } from '../lab/cowrie-persona.ts'
import { docker, Lab } from '../lab/cowrie-pod.ts'
import { type CleanUp, cleanedUp } from './clean-up.ts'
import { rowOf, told } from './drift-applied-http.ts'
import type { Bench } from './row.ts'

const [user, password] = ['jmeier', 'Sommer2024']
/** Few: each waits for the turn of the others besides. */
const sessions = 3
/** Of controller/drift/intensities.json where no baseline says otherwise, low to high. */
const waits = [
  { ms: 10, spread: 0.3, times: 80 },
  { ms: 50, spread: 0.5, times: 80 },
  { ms: 200, spread: 0.7, times: 80 },
]
const shares = [
  { share: 0.01, asked: 15_000 },
  { share: 0.04, asked: 9000 },
  { share: 0.12, asked: 3000 },
]
const forms = ['fixed', 'jitter'] as const
const waitName = (form: string, ms: number) => `${form}_${ms}_ms`
const diskName = (share: number) => `disk_${share * 100}_percent`
const names = [
  ...waits.flatMap(({ ms }) => forms.map((form) => waitName(form, ms))),
  ...shares.map(({ share }) => diskName(share)),
].map((name) => `drift.ssh.${name}`)
/** A session past its share of the processor is slowed down: each asks so often at most. */
const asksPerSession = 1500
/** Fails with the disk, and takes the decoy as little as may be. */
const readsFile = ': 2>/dev/null </etc/crontab'

/**
 * An SSH decoy measured from a neighbour: waits of a fixed and a varying length and a failing disk, each in three
 * intensities, against what was asked for.
 */
export const driftAppliedBench: Bench = {
  names: ['drift.requested_vs_measured_error', ...names],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const decoy = await startDecoy(cleanUp)
      const applied = [...(await appliedWaits(decoy)), ...(await appliedErrors(decoy))]
      const rows = applied.map((one) => rowOf(`drift.ssh.${one.name}`, one.unit, one.requested, one))
      for (const row of rows) progress(told(row))
      const worst = Math.max(...applied.map(deviation))
      return [
        {
          name: 'drift.requested_vs_measured_error',
          value: worst,
          unit: 'of requested',
          better: 'lower',
          target: 0.2,
          reference: null,
        },
        ...rows,
      ]
    }),
}

export type Decoy = {
  pid(): Promise<number>
  put(...effects: DriftEffect[]): Promise<void>
  client(): Promise<MeasuringClient>
}

export async function startDecoy(cleanUp: CleanUp): Promise<Decoy> {
  const lab = await Lab.start({ teardown: cleanUp.add }, personaOf('srv-drift-1', 1))
  const put = async (...effects: DriftEffect[]) => {
    const wanted = decoyDrift.parse({ everyone: effects.length > 0 ? { seed: 'bench', effects } : null, views: [] })
    await lab.control('drift.json', wanted)
    await lab.status(({ drift }) => drift === driftMark(wanted), 'the drift is in force')
  }
  const pid = async () => Number(await docker('inspect', '--format', '{{.State.Pid}}', lab.service))
  return { pid, put, client: () => MeasuringClient.open(lab.decoy, user, password) }
}

async function appliedWaits({ put, client }: Decoy): Promise<Applied[]> {
  await put()
  const clients = await Promise.all(Array.from({ length: sessions }, client))
  // Of one alone: side by side they would wait for each other's turns, which those that wait for drift do not.
  const usual = medianOf(await waitsOf(clients.slice(0, 1), 100)).measured
  const found: Applied[] = []
  for (const { ms, spread, times } of waits)
    for (const form of forms) {
      await put({ type: 'latency', form, ms, spread: form === 'jitter' ? spread : 0 })
      const median = medianOf(await waitsOf(clients, form === 'fixed' ? 20 : times, usual))
      found.push({ name: waitName(form, ms), unit: 'ms', requested: ms, ...median })
    }
  await put()
  for (const one of clients) one.close()
  return found
}

async function appliedErrors({ put, client }: Decoy): Promise<Applied[]> {
  const found: Applied[] = []
  for (const { share, asked } of shares) {
    await put({ type: 'error', kind: 'disk', share })
    let failed = 0
    for (let done = 0; done < asked; done += asksPerSession) {
      const one = await client()
      const lines = await one.lines()
      failed += await lines.failures(readsFile, asksPerSession)
      one.close()
    }
    const { low, high } = wilson(failed, asked)
    found.push({ name: diskName(share), unit: 'share', requested: share, measured: failed / asked, low, high })
  }
  await put()
  return found
}

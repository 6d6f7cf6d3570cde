import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Persona } from '../../shared/schemas/persona.ts'
import { makeSegment } from '../lab/decoys-segment.ts'
import { startAppliance } from './appliance.ts'
import { type Asker, shellAsker, webAsker } from './asker.ts'
import { cleanedUp } from './clean-up.ts'
import type { Controller } from './controller.ts'
import { decoysOf, isOnline, startWithAppliance } from './latency.ts'
import { type Bench, percentileOf, type Row } from './row.ts'
import { until } from './until.ts'

const third = 233
const samples = 20
/** What is set; what takes less than half of it did not feel it. */
const waitMs = 300
/** A web server ends a connection after a hundred requests. */
const paceMs = 40
const config = {
  scan: { enabled: false },
  decoys: { audit: { enabled: false }, perSegment: 0, ranges: [decoysOf(third)] },
  risk: { thresholds: { alert: 100, deploy: 100, reconfigure: 100, block: 100 }, autoBlock: false },
}

/**
 * From the call by which `marshlight drift set` asks the controller, until a shell that is open over a real ssh client, and a
 * kept connection to a real web server of the same decoy, have an answer that is late by it; less the wait itself. On the way:
 * the controller as a process of its own (commit with fsync, plan composed, signed), MQTT over mutual TLS, the agent as it is
 * shipped (verified, persisted, control file written), the decoy's containers. Both ask every 40 ms; no answer before the
 * call may be late. Each sample has sessions that were opened before the drift, and asks on until it is cleared again.
 */
export const driftApplyBench: Bench = {
  names: [
    'drift.apply_seconds',
    'drift.apply_ssh_p50_seconds',
    'drift.apply_http_p50_seconds',
    'drift.control_file_seconds',
    'drift.clear_seconds',
  ],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const segment = makeSegment({ teardown: cleanUp.add }, third)
      const { controller, identity } = await startWithAppliance(cleanUp, segment, config)
      const { stateDir } = await startAppliance(cleanUp, segment, identity)
      await isOnline(controller)
      progress('waiting for a decoy with SSH and a web server')
      const decoy = await deployed(controller)
      const file = join(stateDir, 'decoys', decoy.id, 'control/drift.json')
      const place = { space: segment.neighbour, to: decoy.ip }
      const found: Felt[] = []
      for (let i = 0; i <= samples; i++) {
        const askers = { ssh: await shellAsker({ ...place, ...decoy }), http: webAsker(place) }
        try {
          const one = await sample(controller, decoy.id, file, askers)
          // The first warms caches.
          if (i > 0) found.push(one)
        } finally {
          await Promise.all(Object.values(askers).map((asker) => asker.leave()))
        }
        if (i > 0 && i % 5 === 0) progress(`${i} of ${samples} changes felt`)
      }
      const of = (name: keyof Felt) => found.map((one) => one[name])
      return [
        row('apply_seconds', percentileOf([...of('ssh'), ...of('http')], 95), 1),
        row('apply_ssh_p50_seconds', percentileOf(of('ssh'), 50), null),
        row('apply_http_p50_seconds', percentileOf(of('http'), 50), null),
        row('control_file_seconds', percentileOf(of('file'), 95), null),
        row('clear_seconds', percentileOf(of('cleared'), 95), 1),
      ]
    }),
}

/** Seconds after the call. */
type Felt = { ssh: number; http: number; file: number; cleared: number }

async function sample(
  { api }: Controller,
  decoy: string,
  file: string,
  { ssh, http }: { ssh: Asker; http: Asker },
): Promise<Felt> {
  // The first answer has to wait for the connection.
  for (const asker of [ssh, http]) await asker.ask()
  for (const asker of [ssh, http])
    for (let i = 0; i < 5; i++) {
      const { tookMs } = await asker.ask()
      if (tookMs >= waitMs / 2) throw new Error(`an answer took ${Math.round(tookMs)} ms without drift`)
    }
  const set = { type: 'latency', intensity: 'medium', form: 'fixed', ms: waitMs }
  const began = performance.now()
  const [sshAt, httpAt, fileAt] = await Promise.all([
    answeredLate(ssh, true),
    answeredLate(http, true),
    written(file),
    api.post(`/v1/drift/${decoy}`, set),
  ])
  const cleared = performance.now()
  const [sshFree, httpFree] = await Promise.all([
    answeredLate(ssh, false),
    answeredLate(http, false),
    api.delete(`/v1/drift/${decoy}`),
  ])
  const seconds = (at: number, from = began) => Math.max(0, at - from) / 1000
  return {
    ssh: seconds(sshAt - waitMs),
    http: seconds(httpAt - waitMs),
    file: seconds(fileAt),
    cleared: seconds(Math.max(sshFree, httpFree), cleared),
  }
}

/** When the first answer was whole that was late, or the first that was not. */
async function answeredLate(asker: Asker, late: boolean): Promise<number> {
  const deadline = performance.now() + 10_000
  while (performance.now() < deadline) {
    const { tookMs, at } = await asker.ask()
    if (tookMs >= waitMs / 2 === late) return at
    await delay(paceMs)
  }
  throw new Error(`after 10 s, still no answer was ${late ? 'late' : 'in time'}`)
}

async function written(file: string): Promise<number> {
  let at = 0
  await until(async () => {
    at = performance.now()
    return (await readFile(file, 'utf8')).includes('latency')
  }, 'the agent wrote the control file')
  return at
}

async function deployed({ api }: Controller) {
  const {
    decoy: id,
    ip,
    persona: ref,
  } = await api.post<{ decoy: string; ip: string; persona: string }>('/v1/decoys', {
    segment: 'lan',
    family: 'web-server-debian-12',
  })
  await until(
    async () => (await api.get<{ phase: string }>(`/v1/decoys/${id}`)).phase === 'ready',
    `${ip} is ready`,
    60,
  )
  const { persona } = await api.get<{ persona: Persona }>(`/v1/personas/${ref}`)
  const user = persona.users.find(({ passwords, acceptFromTry = 1 }) => passwords.length > 0 && acceptFromTry === 1)
  if (!user) throw new Error('nobody can log in to the decoy')
  return { id, ip, user: user.name, password: user.passwords[0] ?? '' }
}

const row = (name: string, value: number, target: number | null): Row => ({
  name: `drift.${name}`,
  value,
  unit: 's',
  better: 'lower',
  target,
  reference: null,
})

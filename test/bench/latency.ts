import { setTimeout as delay } from 'node:timers/promises'
import type { Identity } from '../../agent/enrol/index.ts'
import type { Alert } from '../../controller/alerts/index.ts'
import { makeSegment, type Segment } from '../lab/decoys-segment.ts'
import { deployDecoys, knowSegment, startAppliance } from './appliance.ts'
import { type CleanUp, cleanedUp } from './clean-up.ts'
import { type Controller, prepareController } from './controller.ts'
import { ip } from './gateway.ts'
import { type Bench, percentileOf, type Row } from './row.ts'
import { Typist } from './typist.ts'
import { until } from './until.ts'

const samples = 48
/** Shells that are open at the same time. */
const together = 6
const line = 'cat /etc/shadow'
const third = 231

/** Where decoys get their addresses: apart from those that a benchmark gives to hosts and attackers. */
export const decoysOf = (third: number): string => `198.18.${third}.192/26`

/** A log-in from inside a segment comes to 71, with this command to 86: so the command crosses the threshold. */
const config = {
  scan: { enabled: false },
  decoys: { audit: { enabled: false }, perSegment: 0, ranges: [decoysOf(third)] },
  risk: { thresholds: { alert: 78, deploy: 100, reconfigure: 100, block: 100 }, autoBlock: false },
}

/**
 * From the moment at which an attacker's Enter key is written to a real ssh client, to the moment at which the alert
 * about the typed command comes out of the API's stream of alerts. On the way: sshd's side played by Cowrie in a decoy
 * (pod and service on macvlan, as the controller ordered them), its event file, the agent as it is shipped (tail, spool
 * with fsync, MQTT over mutual TLS on loopback), the controller as a process of its own (commit with fsync, sessions,
 * attackers, risk, alerts). Each sample is another source address, which raises its first alert by that key. The other
 * shells are open and idle. One machine, one clock.
 */
export const latencyBench: Bench = {
  names: ['latency.key_to_alert_p95', 'latency.key_to_alert_p50'],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const segment = makeSegment({ teardown: cleanUp.add }, third)
      const { controller, identity } = await startWithAppliance(cleanUp, segment)
      await startAppliance(cleanUp, segment, identity)
      await isOnline(controller)
      progress('waiting for a decoy')
      const [decoy] = await deployDecoys(controller.api, 'lan', 1)
      const user = decoy?.persona.users.find(
        ({ passwords, acceptFromTry = 1 }) => passwords.length > 0 && acceptFromTry === 1,
      )
      if (!decoy || !user) throw new Error('no decoy to log in to')

      const alerts = await followAlerts(controller, cleanUp)
      const times: number[] = []
      for (let at = 0; at < samples; at += together) {
        const sources = Array.from({ length: together }, (_, i) => segment.address.replace(/\d+$/, `${100 + at + i}`))
        for (const from of sources) ip('-n', segment.neighbour, 'addr', 'add', `${from}/24`, 'dev', 'h0')
        const to = { space: segment.neighbour, to: decoy.ip, user: user.name, password: user.passwords[0] ?? '' }
        const typists = sources.map((from) => ({ from, typist: new Typist({ ...to, from }) }))
        try {
          for (const { typist } of typists) await typist.prompt()
          for (const { from, typist } of typists) {
            await typist.type(line)
            // What the log-ins led to has to have come through, or it would be taken for the key's doing.
            await delay(150)
            if (alerts.at(from) !== undefined) throw new Error(`${from} raised an alert before its key was pressed`)
            const pressed = typist.enter()
            await until(() => alerts.at(from) !== undefined, `${from} raises an alert`)
            times.push(Number((alerts.at(from) ?? 0n) - pressed) / 1e6)
          }
        } finally {
          await Promise.all(typists.map(({ typist }) => typist.leave()))
        }
        progress(`${times.length} of ${samples} keys`)
      }
      return [row('p95', percentileOf(times, 95), 200), row('p50', percentileOf(times, 50), null)]
    }),
}

const row = (name: string, value: number, target: number | null): Row => ({
  name: `latency.key_to_alert_${name}`,
  value,
  unit: 'ms',
  better: 'lower',
  target,
  reference: null,
})

/** A controller on loopback that has the appliance enrolled and its segment known. */
export async function startWithAppliance(
  cleanUp: CleanUp,
  segment: Segment,
  settings: Record<string, unknown> = config,
): Promise<{ controller: Controller; identity: Identity }> {
  const wish = { name: 'appliance', roles: ['decoys' as const], segment: 'lan' }
  const prepared = await prepareController('127.0.0.1', [wish], settings)
  cleanUp.add(() => prepared.remove())
  const [identity] = prepared.identities
  if (!identity) throw new Error('the appliance was not enrolled')
  await knowSegment(prepared.dataDir, identity.agent, segment)
  return { controller: await prepared.start(), identity }
}

export const isOnline = (controller: Controller): Promise<void> =>
  until(async () => {
    const { items } = await controller.api.get<{ items: { presence: string }[] }>('/v1/agents')
    return items.some(({ presence }) => presence === 'online')
  }, 'the agent is online')

/** When the first alert of each source came out of the stream, on the monotonic clock. */
async function followAlerts(controller: Controller, cleanUp: CleanUp) {
  const first = new Map<string, bigint>()
  const ending = new AbortController()
  const following = (async () => {
    for await (const alert of controller.api.follow<Alert>('/v1/alerts?follow=true&kind=risk', ending.signal))
      if (!first.has(alert.subject)) first.set(alert.subject, process.hrtime.bigint())
  })()
  following.catch(() => undefined)
  cleanUp.add(async () => {
    ending.abort()
    await following.catch(() => undefined)
  })
  return { at: (source: string) => first.get(source) }
}

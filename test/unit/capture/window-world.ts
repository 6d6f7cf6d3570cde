import { numberOf } from '../../../agent/capture/decode.ts'
import { makePseudonyms } from '../../../agent/capture/pseudonyms.ts'
import { makeWindows, type WindowsDeps } from '../../../agent/capture/windows.ts'
import { seededRandom } from '../../../shared/random.ts'
import type { DecoyDrift, DriftView } from '../../../shared/schemas/drift.ts'
import type { FeatureWindow } from '../../../shared/schemas/observation.ts'
import { ack, syn, synAck, tcpFrame } from './frames.ts'

export const decoy = '198.18.90.1'
export const id = '01920000-0000-7000-8000-00000000000a'
export const start = Date.parse('2026-03-02T10:00:00Z')
export const minute = 60_000
export const windowsOf = (drift: string | undefined = 'none', more: Partial<WindowsDeps> = {}) =>
  makeWindows({
    decoy: id,
    address: numberOf(decoy),
    broadcastAddress: numberOf('198.18.90.255'),
    ports: new Map([
      [22, 'ssh'],
      [80, 'http'],
      [161, 'snmp'],
    ]),
    random: seededRandom('windows'),
    pseudonym: makePseudonyms(Buffer.alloc(32, 3)),
    from: start,
    drift,
    ...more,
  })

/** One page asked for from `source`: the connection takes 2 ms, the answer `delay`. */
export function visit(
  windows: ReturnType<typeof windowsOf>,
  at: number,
  source: string,
  port: number,
  delay: number,
  toPort = 80,
) {
  const [there, back] = [
    { from: source, fromPort: port, to: decoy, toPort },
    { from: decoy, fromPort: toPort, to: source, toPort: port },
  ]
  windows.add(tcpFrame({ ...there, flags: syn, seq: 99 }), at)
  windows.add(tcpFrame({ ...back, flags: synAck, seq: 499 }), at + 2)
  windows.add(tcpFrame({ ...there, flags: ack, seq: 100 }), at + 3)
  windows.add(tcpFrame({ ...there, seq: 100, data: 'GET /' }), at + 4)
  // The network loses it for the asker, who says it once more: the wait is one from the first time.
  windows.add(tcpFrame({ ...there, seq: 100, data: 'GET /' }), at + 4 + delay / 2)
  windows.add(tcpFrame({ ...back, seq: 500, data: 'page' }), at + 4 + delay)
}

/** A drift of everyone's, and views beside it. */
export const waiting = (ms: number, views: DriftView[] = []): DecoyDrift => ({
  everyone: { seed: 's', effects: [{ type: 'latency', form: 'fixed', ms, spread: 0 }] },
  views,
})

export const of = (told: readonly FeatureWindow[], port: number | undefined) =>
  told.filter(({ subject }) => subject.kind === 'decoy' && subject.port === port)

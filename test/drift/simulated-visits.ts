import { numberOf } from '../../agent/capture/decode.ts'
import { makeWindows } from '../../agent/capture/windows.ts'
import { waitOf } from '../../controller/drift/expected.ts'
import type { Random } from '../../shared/random.ts'
import type { Profile } from '../../shared/schemas/baseline.ts'
import { type DriftEffect, mostDelayMs } from '../../shared/schemas/drift.ts'
import { normal } from '../../shared/statistics/draws.ts'
import { ack, exampleHello, reset, syn, synAck, tcpFrame } from '../unit/capture/frames.ts'

const [decoy, visitor] = ['198.18.1.1', '198.18.1.77']

/** Who comes, and how the service is: `answers` to requests of one connection; `times` slower than it is when all is well. */
export type Visits = {
  service: 'https' | 'ftp'
  connections: number
  answers: number
  effects: readonly DriftEffect[]
  times?: number
}

/**
 * What capture tells of a window in which a service of a pod was visited, each of its answers drifted as the pod's network
 * does: the first content of a connection, and the first after something was asked.
 */
export function visited({ service, connections, answers, effects, times = 1 }: Visits, random: Random): Profile {
  const port = service === 'ftp' ? 21 : 443
  const windows = makeWindows({
    decoy: '01920000-0000-7000-8000-00000000000a',
    address: numberOf(decoy),
    ports: new Map([[port, service]]),
    random,
    pseudonym: String,
    from: 0,
    drift: 'none',
  })
  const shareOf = (kind: string) =>
    effects.reduce((sum, one) => sum + (one.type === 'error' && one.kind === kind ? one.share : 0), 0)
  /** Milliseconds until an answer begins; undefined where a reset takes its place. */
  const answer = (): number | undefined => {
    const own = times * 4 * Math.exp(0.35 * normal(random))
    const part = random()
    if (part < shareOf('reset')) return undefined
    if (part < shareOf('reset') + shareOf('busy')) return own + mostDelayMs
    return own + effects.reduce((sum, one) => sum + waitOf(one, random), 0)
  }
  for (let i = 0; i < connections; i++) {
    const [there, back] = [
      { from: visitor, fromPort: 20_000 + i, to: decoy, toPort: port },
      { from: decoy, fromPort: port, to: visitor, toPort: 20_000 + i },
    ]
    let [at, asked, said] = [(i * 290_000) / connections, 100, 500]
    windows.add(tcpFrame({ ...there, flags: syn, seq: 99 }), at)
    if (random() < shareOf('refused')) {
      windows.add(tcpFrame({ ...back, flags: reset }), at + 1)
      continue
    }
    windows.add(tcpFrame({ ...back, flags: synAck, seq: 499 }), at + 1)
    at += 2
    windows.add(tcpFrame({ ...there, flags: ack, seq: 100 }), at)
    /** Whether it came. */
    const answered = (data: string): boolean => {
      const wait = answer()
      at += wait ?? 5
      if (wait === undefined) windows.add(tcpFrame({ ...back, flags: reset, seq: said }), at)
      else windows.add(tcpFrame({ ...back, seq: said, data }), at)
      said += data.length
      return wait !== undefined
    }
    const ask = (data: string): void => {
      at += 5
      windows.add(tcpFrame({ ...there, seq: asked, data }), at)
      asked += data.length
    }
    if (service === 'https') ask(exampleHello().toString('latin1'))
    let open = answered(service === 'ftp' ? '220 ready\r\n' : 'hello')
    for (let n = 0; open && n < answers; n++) {
      ask('x'.repeat(20 + Math.floor(40 * random())))
      open = answered('y'.repeat(100 + Math.floor(900 * random())))
    }
  }
  const [seen] = windows.take(300_000, 0)
  if (!seen) throw new Error('nothing was seen')
  return seen.profile
}

import type { Spool } from '../../agent/spool/port.ts'
import { MarshlightError } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import { type StreamName, streamNames } from '../../shared/schemas/envelope.ts'

type Stream = { epoch: string; acknowledged: number; lines: string[] }

/**
 * A spool in memory, for agents of whom a thousand share this machine's disk: numbers, epochs and acknowledgements are as
 * the port promises; nothing outlives the process. `onAcknowledged` is told how far each stream is known to be committed.
 */
export function makeHeldSpool(onAcknowledged: (stream: StreamName, next: number) => void): Spool {
  const streams = new Map<StreamName, Stream>(
    streamNames.map((name) => [name, { epoch: newId(), acknowledged: 0, lines: [] }]),
  )
  const listeners = new Set<(stream: StreamName) => void>()
  const of = (name: StreamName) => streams.get(name) as Stream
  return {
    name: 'spool',
    start: async () => {},
    stop: async () => {},
    async append(name, records) {
      for (const record of records) of(name).lines.push(JSON.stringify(record))
      for (const listener of listeners) listener(name)
    },
    positionOf: () => undefined,
    async forget() {
      throw new MarshlightError('NO_SUCH_METHOD', { port: 'a spool in memory', what: 'forget' })
    },
    async read(name, from, limit) {
      const { epoch, acknowledged, lines } = of(name)
      const first = Math.max(from, acknowledged)
      let bytes = 0
      const taken: string[] = []
      for (const line of lines.slice(first - acknowledged, first - acknowledged + limit.records)) {
        bytes += line.length
        if (taken.length > 0 && bytes > limit.bytes) break
        taken.push(line)
      }
      return { epoch, first, lines: taken, losses: [] }
    },
    async acknowledge(name, epoch, next) {
      const stream = of(name)
      if (epoch !== stream.epoch || next <= stream.acknowledged) return
      stream.lines.splice(0, next - stream.acknowledged)
      stream.acknowledged = next
      onAcknowledged(name, next)
    },
    standing(name) {
      const { epoch, acknowledged, lines } = of(name)
      return { epoch, acknowledged, next: acknowledged + lines.length }
    },
    bytes: () => [...streams.values()].reduce((sum, { lines }) => sum + lines.join('').length, 0),
    onAppend(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

import type { EventEmitter } from 'node:events'

/**
 * Of one connection no more is read while messages of so many bytes wait to be taken: what the sender has beyond that
 * stays with it. The broker itself goes on reading whenever bytes come.
 */
export function makeIntake(mostBytes: number): {
  /** Notes a message; the returned function that it was taken. */
  takes(connection: EventEmitter, bytes: number): () => void
  /** Whether to read nothing now; the connection says `readable` when it may go on. */
  holds(connection: EventEmitter): boolean
} {
  const inHand = new WeakMap<EventEmitter, { bytes: number; held: boolean }>()
  return {
    takes(connection, bytes) {
      const hand = inHand.get(connection) ?? { bytes: 0, held: false }
      inHand.set(connection, hand)
      hand.bytes += bytes
      return () => {
        hand.bytes -= bytes
        if (!hand.held || hand.bytes >= mostBytes) return
        hand.held = false
        connection.emit('readable')
      }
    },
    holds(connection) {
      const hand = inHand.get(connection)
      if (!hand || hand.bytes < mostBytes) return false
      hand.held = true
      return true
    },
  }
}

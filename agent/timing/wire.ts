import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** What comes first over a connection that somebody else speaks on: when it was asked, when it answered, and its bytes. */
export type Wire = { stream: Duplex; askedAt: number | undefined; answeredAt: number | undefined; begun: Buffer }

const mostBegun = 4096

/** A stream in front of a socket, through which TLS goes as it is. `now`: milliseconds. */
export function makeWire(socket: Socket, now: () => number): Wire {
  const stream = new Duplex({
    read: () => void socket.resume(),
    write(chunk: Buffer, _encoding, done) {
      wire.askedAt ??= now()
      socket.write(chunk, done)
    },
    final: (done) => void socket.end(done),
  })
  const wire: Wire = { stream, askedAt: undefined, answeredAt: undefined, begun: Buffer.alloc(0) }
  socket.on('data', (chunk) => {
    wire.answeredAt ??= now()
    if (wire.begun.length < mostBegun) wire.begun = Buffer.concat([wire.begun, chunk]).subarray(0, mostBegun)
    if (!stream.push(chunk)) socket.pause()
  })
  socket.once('end', () => stream.push(null))
  socket.once('close', () => stream.destroy())
  return wire
}

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type Proxy = {
  port: number
  /** Breaks every connection. */
  cut(): void
  /** Nothing passes, in either direction and on new connections too, until `false`; what was held back then goes on. */
  swallow(on: boolean): void
  close(): Promise<void>
}

/** A line between agent and controller on loopback, to be cut or to go silent. */
export async function startProxy(to: { host: string; port: number }): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let silent = false
  const track = (socket: Socket, other: Socket) => {
    sockets.add(socket)
    socket.on('data', (bytes) => {
      if (!other.write(bytes)) socket.pause()
    })
    other.on('drain', () => {
      if (!silent) socket.resume()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      other.destroy()
    })
    if (silent) socket.pause()
  }
  const server = createServer((near) => {
    const far = connect(to)
    track(near, far)
    track(far, near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    swallow(on) {
      silent = on
      for (const socket of sockets) {
        if (on) socket.pause()
        else socket.resume()
      }
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      cut()
      await closed
    },
  }
}

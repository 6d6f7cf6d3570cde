import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { TlsMaterial } from './port.ts'

type Options = {
  listen: { host: string; port: number }
  tls: TlsMaterial
  log: Log
  /** Told of each connection whose client certificate is good. */
  admit: (socket: TLSSocket) => void
}

/** TLS 1.3 with client certificates; its material can be changed while it listens. */
export function makeTlsListener({ listen, tls, log, admit }: Options) {
  const sockets = new Set<Socket>()
  let server: Server | undefined
  let material = tls

  return {
    async start(): Promise<void> {
      server = createServer({
        ...material,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.3',
        noDelay: true,
        handshakeTimeout: 10_000,
      })
      server.on('connection', (socket: Socket) => {
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
      })
      server.on('secureConnection', admit)
      server.on('tlsClientError', (error, socket) => {
        log.info({ address: socket.remoteAddress, why: wordsOf(error) }, 'refused a TLS connection')
        socket.destroy()
      })
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      server.once('error', reject)
      server.listen(listen.port, listen.host, resolve)
      await promise
    },
    async stop(): Promise<void> {
      for (const socket of sockets) socket.destroy()
      const listening = server
      server = undefined
      if (listening?.listening) await new Promise((resolve) => listening.close(resolve))
    },
    useTls(next: TlsMaterial): void {
      material = next
      server?.setSecureContext({ ...next, minVersion: 'TLSv1.3' })
    },
    port(): number {
      const address = server?.address()
      return typeof address === 'object' && address ? address.port : listen.port
    },
  }
}

import { createServer, type Server, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import { type AdmissionLimits, makeAdmission, usualAdmission } from './admission.ts'
import type { TlsMaterial } from './port.ts'

type Options = {
  listen: { host: string; port: number }
  tls: TlsMaterial
  log: Log
  /** Told of each connection whose client certificate is good. */
  admit: (socket: TLSSocket) => void
  /** Work of those who are connected waits. */
  busy: () => boolean
  now: () => number
  admission?: Partial<AdmissionLimits> | undefined
}

/** Connections that the kernel holds until we take them; what it allows may be less. */
const backlog = 4096
const tickMs = 200

/**
 * TLS 1.3 with client certificates; its material can be changed while it listens. A connection waits unread until it is
 * let in: the handshake is what costs.
 */
export function makeTlsListener({ listen, tls, log, admit, busy, now, admission: limits }: Options) {
  const sockets = new Set<Socket>()
  const places = new Map<string, { leave(): void }>()
  const admission = makeAdmission({ ...usualAdmission, ...limits }, { now, busy })
  let server: Server | undefined
  let handshakes: TlsServer | undefined
  let ticking: NodeJS.Timeout | undefined
  let material = tls
  let told = 0
  let used = performance.eventLoopUtilization()
  let lookedAt = now()

  function take(socket: Socket): void {
    sockets.add(socket)
    const peer = peerOf(socket)
    const place = admission.come({
      address: socket.remoteAddress ?? '',
      enter: () => handshakes?.emit('connection', socket),
      // Before the handshake: an agent takes that for "come again, later".
      turnAway: () => socket.destroy(),
    })
    places.set(peer, place)
    socket.on('error', () => {})
    socket.once('close', () => {
      sockets.delete(socket)
      if (places.get(peer) === place) places.delete(peer)
      place.leave()
    })
  }

  function seen() {
    const [at, before] = [now(), used]
    used = performance.eventLoopUtilization()
    const lateMs = at - lookedAt - tickMs
    lookedAt = at
    return { busy: performance.eventLoopUtilization(used, before).utilization, lateMs }
  }

  function tick(): void {
    admission.tick(seen())
    const { turnedAway, waiting } = admission.standing()
    if (turnedAway === told) return
    log.warn({ turnedAway: turnedAway - told, waiting }, 'more come at once than can be let in; told to come later')
    told = turnedAway
  }

  return {
    async start(): Promise<void> {
      handshakes = createTlsServer({
        ...material,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.3',
        handshakeTimeout: 10_000,
      })
      handshakes.on('secureConnection', admit)
      handshakes.on('tlsClientError', (error, socket) => {
        log.info({ address: socket.remoteAddress, why: wordsOf(error) }, 'refused a TLS connection')
        socket.destroy()
      })
      server = createServer({ pauseOnConnect: true, noDelay: true }, take)
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      server.once('error', reject)
      server.listen({ host: listen.host, port: listen.port, backlog }, resolve)
      await promise
      seen()
      ticking = setInterval(tick, tickMs).unref()
    },
    async stop(): Promise<void> {
      clearInterval(ticking)
      admission.close()
      for (const socket of sockets) socket.destroy()
      const listening = server
      server = undefined
      if (listening?.listening) await new Promise((resolve) => listening.close(resolve))
    },
    arrivals: admission.standing,
    /** Who came by this connection is in: the next may come. */
    settled: (socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): void => places.get(peerOf(socket))?.leave(),
    useTls(next: TlsMaterial): void {
      material = next
      handshakes?.setSecureContext({ ...next, minVersion: 'TLSv1.3' })
    },
    port(): number {
      const address = server?.address()
      return typeof address === 'object' && address ? address.port : listen.port
    },
  }
}

/** No two connections to one listener share it. */
const peerOf = ({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>) =>
  `${remoteAddress}:${remotePort}`

import type { ConnectionOptions, PeerCertificate, TLSSocket } from 'node:tls'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { writeToStream } from 'mqtt-packet'
import type { Clock } from '../../shared/clock.ts'
import type { MarshlightError } from '../../shared/errors.ts'
import { boundMqttMemory } from '../../shared/mqtt-memory.ts'
import { openTunnel } from '../../shared/proxy-tunnel.ts'
import { presence } from '../../shared/schemas/state.ts'
import { topicMap, topicOf } from '../../shared/topics.ts'
import type { Identity } from '../enrol/identity.ts'
import { closedSilently, connectionFailure, type Progress } from './refusal.ts'

/** One connection's life. It is never opened again: the next attempt is a new one, so nothing of an old one is replayed. */
export type Connection = {
  publish(topic: string, payload: string | Buffer, retain?: boolean): void
  /** Resolves with the reason when it has ended. */
  ended: Promise<MarshlightError>
  end(): Promise<void>
}

export type ConnectionHandlers = {
  /** The packet is acknowledged to the broker when this resolves; a rejection ends the connection. */
  onMessage(topic: string, payload: Buffer): Promise<void>
}

/** Whether a certificate of the pinned CA is the controller's: an error if not. */
export type CheckServer = (certificate: PeerCertificate) => Error | undefined

/** Silence is noticed after two of these at most. */
const keepaliveSeconds = 4
/** Until the line stands, and until the controller has let us in: where many come at once, each has to wait for its turn. */
const openTimeoutMs = 10_000
const connectTimeoutMs = 30_000
const subscribed = ['ack', 'plan', 'blocks', 'request'] as const

/**
 * Connects, subscribes, and announces presence; resolves when all of that stands. `closedSilently` counts earlier
 * attempts that ended right after the handshake. Throws CONTROLLER_UNREACHABLE, PROXY_REFUSED, CONTROLLER_BUSY or
 * CERTIFICATE_REFUSED.
 */
export async function connect(
  identity: Identity,
  deps: {
    clock: Clock
    checkServer: CheckServer
    proxy?: string | undefined
    closedSilently: number
    signal: AbortSignal
  },
  handlers: ConnectionHandlers,
): Promise<Connection> {
  const address = `${identity.mqtt.host}:${identity.mqtt.port}`
  // Its table of all 16-bit numbers as buffers would take a tenth of the agent's memory.
  writeToStream.cacheNumbers = false
  boundMqttMemory()
  const tunnel = deps.proxy === undefined ? undefined : await openTunnel(deps.proxy, identity.mqtt, deps.signal)
  const client = mqtt.connect({ ...clientOptions(identity, deps.checkServer), ...(tunnel && { socket: tunnel }) })
  let progress: Progress = 'opening'
  let cause: unknown
  const socket = client.stream as TLSSocket
  // Nagle's algorithm would hold a lone event back for 40 ms.
  socket.setNoDelay(true)
  socket.once('connect', () => {
    progress = 'accepted'
  })
  socket.once('secureConnect', () => {
    progress = 'secured'
  })
  client.on('error', (error) => {
    cause ??= error
  })
  const notOpen = setTimeout(() => {
    if (progress !== 'opening') return
    cause = new Error('no connection within 10 s')
    client.end(true)
  }, openTimeoutMs)
  // Through a proxy it stands already.
  if (tunnel) clearTimeout(notOpen)
  const abort = () => client.end(true)
  deps.signal.addEventListener('abort', abort, { once: true })
  const ended = new Promise<MarshlightError>((resolve) => {
    client.once('close', () => {
      clearTimeout(notOpen)
      deps.signal.removeEventListener('abort', abort)
      client.end(true)
      const error = cause ?? new Error(closedSilently)
      const failure = connectionFailure(error, { address, progress, closedSilently: deps.closedSilently })
      resolve(Object.assign(failure, { progress }))
    })
  })
  client.handleMessage = (packet, done) => {
    if (packet.cmd !== 'publish') return done()
    const payload = Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload)
    handlers.onMessage(packet.topic, payload).then(
      () => done(),
      (error) => {
        cause = error
        client.end(true)
      },
    )
  }
  await Promise.race([welcome(client, identity.agent, deps.clock), ended.then((failure) => Promise.reject(failure))])
  progress = 'welcomed'

  return {
    publish(topic, payload, retain = false) {
      if (!client.connected) return
      // What fails here is sent again after the next connect: the spool is the store, not the MQTT library.
      client.publish(topic, payload, { qos: 1, retain }, () => {})
    },
    ended,
    async end() {
      if (client.connected) {
        const offline = JSON.stringify({ status: 'offline', at: new Date(deps.clock.now()).toISOString() })
        await Promise.race([
          client.publishAsync(topicOf(identity.agent, 'presence'), offline, { qos: 1, retain: true }).catch(() => {}),
          deps.clock.sleep(1000),
        ])
      }
      client.end(true)
      await ended
    },
  }
}

async function welcome(client: MqttClient, agent: string, clock: Clock): Promise<void> {
  await new Promise<void>((resolve) => client.once('connect', () => resolve()))
  const topics = Object.fromEntries(subscribed.map((name) => [topicOf(agent, name), { qos: topicMap[name].qos }]))
  await client.subscribeAsync(topics)
  const online = presence.parse({ status: 'online', at: new Date(clock.now()).toISOString() })
  await client.publishAsync(topicOf(agent, 'presence'), JSON.stringify(online), { qos: 1, retain: true })
}

function clientOptions(identity: Identity, checkServer: CheckServer): IClientOptions & ConnectionOptions {
  return {
    protocol: 'mqtts',
    protocolVersion: 4,
    host: identity.mqtt.host,
    port: identity.mqtt.port,
    minVersion: 'TLSv1.3',
    key: identity.key,
    cert: identity.certificate,
    ca: identity.ca,
    rejectUnauthorized: true,
    checkServerIdentity: (_host: string, certificate: PeerCertificate) => checkServer(certificate),
    clientId: identity.agent,
    clean: true,
    keepalive: keepaliveSeconds,
    // Otherwise a stream of publishes into a dead line would put the ping off for ever.
    reschedulePings: false,
    connectTimeout: connectTimeoutMs,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    will: {
      topic: topicOf(identity.agent, 'presence'),
      payload: Buffer.from('{"status":"offline"}'),
      qos: 1,
      retain: true,
    },
  }
}

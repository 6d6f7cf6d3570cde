import type { TLSSocket } from 'node:tls'
import { Aedes, type AuthenticateError, type Client, type PublishPacket } from 'aedes'
import { maxBatchBytes } from '../../shared/batch.ts'
import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import { boundMqttMemory } from '../../shared/mqtt-memory.ts'
import { agentMayPublish, agentMaySubscribe, parseTopic, topicMap, topicOf } from '../../shared/topics.ts'
import type { AdmissionLimits } from './admission.ts'
import { lookUpRetained } from './exact-retained.ts'
import { makeFrameGuard } from './guard.ts'
import { makeIntake } from './intake.ts'
import { makeListeners } from './listeners.ts'
import { type Limits, makePacing } from './pacing.ts'
import type { Broker, BrokerHandlers, TlsMaterial } from './port.ts'
import { makeTlsListener } from './tls-listener.ts'

type Options = {
  listen: { host: string; port: number }
  tls: TlsMaterial
  clock: Clock
  log: Log
  limits?: Partial<Limits>
  admission?: Partial<AdmissionLimits> | undefined
}
type Peer = { agent: string; serial: string; address: string; refusal?: { code: number; why: string } }

/** Far above what an agent that catches up after days needs; a sender above is slowed, one that floods is closed. */
const generous: Limits = { bytesPerSecond: 64 * 1_048_576, messagesPerSecond: 5000, packetsPerSecond: 20_000 }
const packetBytes = maxBatchBytes + 1024
const connectBytes = 16_384
/** A connection that says nothing for 1.5 times this is closed, whatever it asked for. Seconds. */
const maxKeepalive = 60
const identifierRejected = 2
const notAuthorized = 5

/**
 * aedes over TLS 1.3 with client certificates.
 *
 *   TLS: certificate of our CA, not revoked -> frame guard -> CONNECT: client id = common name, enrolled
 *     -> publish: own topic, slowed above its rate -> handlers.onMessage -> PUBACK
 *     -> subscribe: own topic, else refused (128)
 *
 * Sessions are always clean: what an agent missed is in the retained documents, and the broker keeps no queue for it.
 */
export function makeAedesBroker({ listen, tls, clock, log, limits: given, admission }: Options): Broker {
  boundMqttMemory()
  const limits = { ...generous, ...given }
  const peers = new WeakMap<object, Peer>()
  const waitFor = makePacing(limits, () => clock.now())
  const replaced = new WeakSet<object>()
  const live = new Map<string, Client>()
  const listeners = makeListeners()
  let handlers: BrokerHandlers | undefined
  let aedes: Aedes | undefined
  const intake = makeIntake(maxBatchBytes)
  const busy = () => handlers?.busy?.() ?? false
  const listener = makeTlsListener({ listen, tls, log, admit, busy, now: () => clock.now(), admission })

  const told = (): BrokerHandlers => {
    if (!handlers) throw new Error('the broker has no handlers')
    return handlers
  }

  function admit(socket: TLSSocket): void {
    const certificate = socket.getPeerCertificate()
    const address = socket.remoteAddress ?? ''
    const name = certificate?.subject?.CN
    if (typeof name !== 'string' || !aedes) return void socket.destroy()
    peers.set(socket, { agent: name, serial: certificate.serialNumber.toUpperCase(), address })
    watch(socket, name)
    aedes.handle(socket)
  }

  /** aedes takes bytes by `read` alone, so this is where they can be looked at without a copy. */
  function watch(socket: TLSSocket, agent: string): void {
    const guard = makeFrameGuard({ packetBytes, connectBytes, packetsPerSecond: limits.packetsPerSecond }, () =>
      clock.now(),
    )
    const read = socket.read.bind(socket)
    socket.read = (size?: number) => {
      if (intake.holds(socket)) return null
      const chunk: Buffer | null = read(size)
      const why = chunk && guard.push(chunk)
      if (!why) return chunk
      told().onNote(agent, 'closed', why)
      log.warn({ agent, why }, 'closed a connection')
      socket.destroy()
      return null
    }
  }

  function preConnect(
    client: Client,
    packet: Parameters<Aedes['preConnect']>[1],
    done: (e: null, ok: boolean) => void,
  ) {
    const peer = peers.get(client.conn)
    if (!peer) return done(null, false)
    const { will } = packet
    if (packet.clientId !== peer.agent)
      peer.refusal = { code: identifierRejected, why: `client id ${packet.clientId.slice(0, 64)} is not its own` }
    else if (will && (will.topic !== topicOf(peer.agent, 'presence') || will.payload.length > 4096))
      peer.refusal = { code: notAuthorized, why: 'its last will is for another topic' }
    Object.assign(packet, { clean: true, keepalive: Math.min(packet.keepalive || maxKeepalive, maxKeepalive) })
    done(null, true)
  }

  async function decide(client: Client): Promise<{ code: number; why: string } | undefined> {
    const peer = peers.get(client.conn)
    if (!peer) return { code: notAuthorized, why: 'it has no certificate' }
    if (peer.refusal) return peer.refusal
    const why = await told().refuse(peer.agent, peer.serial, peer.address)
    return why === undefined ? undefined : { code: notAuthorized, why }
  }

  function authenticate(client: Client, done: (error: AuthenticateError | null, ok: boolean | null) => void): void {
    decide(client).then(
      (refusal) => {
        const peer = peers.get(client.conn)
        if (!refusal && peer) {
          const other = live.get(peer.agent)
          if (other) {
            replaced.add(other)
            told().onNote(peer.agent, 'replaced', `a second connection, from ${peer.address}, took its place`)
          }
          return done(null, true)
        }
        const why = refusal?.why ?? 'it has no certificate'
        log.warn({ agent: peer?.agent, address: peer?.address, why }, 'refused a connection')
        if (peer) told().onNote(peer.agent, 'refused', why)
        done(Object.assign(new Error(why), { returnCode: refusal?.code ?? notAuthorized }), false)
      },
      (error) => {
        log.error({ err: error }, 'whether an agent may connect could not be told')
        done(Object.assign(new Error(wordsOf(error)), { returnCode: 3 }), false)
      },
    )
  }

  async function take(client: Client, packet: PublishPacket): Promise<void> {
    const topic = parseTopic(packet.topic)
    if (!topic || !agentMayPublish(client.id, packet.topic) || packet.qos === 2) {
      const what = `${packet.topic.slice(0, 128)} with QoS ${packet.qos}`
      told().onNote(client.id, 'denied', `it published to ${what}`)
      log.warn({ agent: client.id, topic: what }, 'closed a connection that published where it may not')
      throw new Error(`not allowed to publish to ${what}`)
    }
    packet.retain = topicMap[topic.name].retain
    // The will of a connection that another took the place of is no news of the agent.
    if (replaced.has(client)) packet.retain = false
    if (replaced.has(client) && topic.name === 'presence') return
    const payload = Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload)
    const done = intake.takes(client.conn, payload.length)
    try {
      const wait = waitFor(client, payload.length)
      if (wait > 0) await clock.sleep(wait)
      await told().onMessage(client.id, topic, payload)
    } catch (error) {
      // A closed connection would make the agent send it again, without end.
      log.error({ agent: client.id, topic: packet.topic, err: error }, 'a message could not be handled')
    } finally {
      done()
      if (topic.name === 'hello') listener.settled(client.conn as TLSSocket)
    }
  }

  function build(): Aedes {
    const broker = new Aedes({
      // One slow reader must not take a slot that others wait for.
      concurrency: 0,
      drainTimeout: 15_000,
      connectTimeout: 10_000,
      maxInflightInbound: 1,
      preConnect,
      authenticate: (client, _username, _password, done) => authenticate(client, done),
      authorizePublish: (client, packet, done) => {
        if (!client?.id) return done(new Error('no identity'))
        take(client, packet).then(() => done(null), done)
      },
      authorizeSubscribe: (client, subscription, done) => {
        if (agentMaySubscribe(client.id, subscription.topic)) return done(null, subscription)
        told().onNote(client.id, 'denied', `it subscribed to ${subscription.topic.slice(0, 128)}`)
        done(null, null)
      },
    })
    broker.on('client', (client) => {
      live.set(client.id, client)
      listeners.forget(client.id)
      told().onConnect(client.id, peers.get(client.conn)?.address ?? '')
    })
    broker.on('subscribe', (_topics, client) => {
      if (live.get(client.id) === client && listeners.begins(client.id, client)) told().onListening(client.id)
    })
    broker.on('clientDisconnect', (client) => {
      if (live.get(client.id) === client && live.delete(client.id)) listeners.forget(client.id)
      if (!replaced.has(client)) told().onDisconnect(client.id)
    })
    broker.on('clientError', (client, error) =>
      log.info({ agent: client.id, why: wordsOf(error) }, 'a connection failed'),
    )
    broker.on('connectionError', (_client, error) => log.info({ why: wordsOf(error) }, 'a connection failed early'))
    ;(broker as NodeJS.EventEmitter).on('error', (error: Error) =>
      log.error({ err: error }, 'the broker failed at something'),
    )
    return broker
  }

  return {
    name: 'broker',
    handle(given) {
      handlers = given
    },
    async start() {
      aedes = build()
      await aedes.listen()
      lookUpRetained(aedes)
      await listener.start()
    },
    async stop() {
      const closing = aedes
      aedes = undefined
      if (closing) await new Promise<void>((resolve) => closing.close(resolve))
      await listener.stop()
    },
    publish: (topic, payload, { retain }) =>
      new Promise((resolve, reject) => {
        if (!aedes) return resolve()
        const packet = { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, retain, dup: false } as const
        aedes.publish(packet, (error) => (error ? reject(error) : resolve()))
      }),
    async disconnect(agent, reason) {
      const client = live.get(agent)
      if (!client) return
      log.info({ agent, reason }, 'closed a connection')
      await new Promise<void>((resolve) => client.close(resolve))
    },
    connected: (agent) => live.has(agent),
    listens: listeners.has,
    listening: listeners.until,
    arrivals: () => ({ connected: live.size, ...listener.arrivals() }),
    useTls: listener.useTls,
    port: listener.port,
  }
}

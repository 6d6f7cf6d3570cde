import { EventEmitter, once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { Aedes } from 'aedes'
import { decodeBatch } from '../../shared/batch.ts'
import type { Acknowledgement, Loss, StreamName } from '../../shared/schemas/envelope.ts'
import { parseTopic, type TopicName, topicMap, topicOf } from '../../shared/topics.ts'
import type { TestPki } from './agent-test-pki.ts'

type Told = { stream: StreamName; epoch: string; number: number; record: Record<string, unknown> }

/**
 * A controller as small as can be: a real broker over mutual TLS, batches committed by number, acknowledgements after a
 * delay. What it committed outlives its restarts.
 */
export class TestController {
  readonly events = new EventEmitter()
  readonly committed: Told[] = []
  readonly losses: (Loss & { stream: StreamName })[] = []
  readonly heard: { name: TopicName; message: Record<string, unknown> }[] = []
  readonly faults: string[] = []
  readonly #pki: TestPki
  readonly #next = new Map<string, number>()
  readonly #sockets = new Set<Socket>()
  #broker: Aedes | undefined
  #server: Server | undefined
  port = 0
  ackDelayMs = 5
  /** Decides for each acknowledgement how often it is sent. */
  ackCopies: () => number = () => 1
  /** Its clock, as acknowledgements tell it. */
  nowMs: () => number = () => Date.now()

  constructor(pki: TestPki) {
    this.#pki = pki
  }

  async start(): Promise<void> {
    const broker = await Aedes.createBroker({
      authorizePublish: (client, packet, done) => {
        const parsed = parseTopic(packet.topic)
        if (client && parsed?.agent !== client.id) return done(new Error('not yours'))
        done()
      },
    })
    broker.on('publish', (packet, client) => {
      if (client) this.#take(packet.topic, packet.payload as Buffer)
    })
    this.#broker = broker
    const { key, certificate } = this.#pki.server
    this.#server = createServer(
      {
        key,
        cert: `${certificate}${this.#pki.ca}`,
        ca: this.#pki.ca,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.3',
        noDelay: true,
      },
      (socket: TLSSocket) => {
        socket.on('error', () => {})
        broker.handle(socket)
      },
    )
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
    })
    this.#server.on('tlsClientError', () => {})
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    const [server, broker] = [this.#server, this.#broker]
    this.#server = undefined
    this.#broker = undefined
    if (!server) return
    const closed = once(server, 'close')
    server.close()
    this.cut()
    await closed
    await new Promise<void>((resolve) => broker?.close(() => resolve()))
  }

  /** Breaks every connection off. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  revoke(list: string): void {
    const { key, certificate } = this.#pki.server
    this.#server?.setSecureContext({
      key,
      cert: `${certificate}${this.#pki.ca}`,
      ca: this.#pki.ca,
      crl: list,
      minVersion: 'TLSv1.3',
    })
  }

  publish(agent: string, name: Exclude<TopicName, 'up'>, message: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      const payload = typeof message === 'string' ? message : JSON.stringify(message)
      const { qos, retain } = topicMap[name]
      this.#broker?.publish(
        { cmd: 'publish', topic: topicOf(agent, name), payload, qos, retain, dup: false },
        (error: Error | null | undefined) => (error ? reject(error) : resolve()),
      )
    })
  }

  /** Resolves when `done` holds; looked at after everything that comes. */
  async until(what: string, done: () => boolean, ms = 20_000): Promise<void> {
    const late = AbortSignal.timeout(ms)
    try {
      while (!done()) await once(this.events, 'change', { signal: late })
    } catch (error) {
      throw new Error(`${what} did not come within ${ms} ms; faults: ${this.faults.join(', ')}`, { cause: error })
    }
  }

  of(stream: StreamName): Record<string, unknown>[] {
    return this.committed.filter((told) => told.stream === stream).map((told) => told.record)
  }

  /** Losses are told, and records repeated, as numbers: whoever counts twice or leaves a gap is found here. */
  #take(topic: string, payload: Buffer): void {
    const parsed = parseTopic(topic)
    if (!parsed) return
    if (parsed.name !== 'up') {
      this.heard.push({ name: parsed.name, message: JSON.parse(payload.toString()) })
    } else if (parsed.stream) {
      const { epoch, first, lines, losses } = decodeBatch(payload)
      const key = `${parsed.stream} ${epoch}`
      let next = this.#next.get(key) ?? 0
      for (const loss of losses) {
        if (loss.to < next) continue
        if (loss.from > next) this.faults.push(`gap before loss ${loss.from} at ${next}`)
        this.losses.push({ ...loss, from: next, stream: parsed.stream })
        next = loss.to + 1
      }
      if (first > next) this.faults.push(`gap from ${next} to ${first} in ${key}`)
      for (const [i, line] of lines.entries()) {
        if (first + i < next) continue
        this.committed.push({ stream: parsed.stream, epoch, number: next, record: JSON.parse(line) })
        next++
      }
      this.#next.set(key, next)
      this.#acknowledge(parsed.agent, { stream: parsed.stream, epoch, next })
    }
    this.events.emit('change')
  }

  #acknowledge(agent: string, ack: Acknowledgement): void {
    const broker = this.#broker
    setTimeout(() => {
      if (this.#broker !== broker) return
      const told = { ...ack, at: new Date(this.nowMs()).toISOString() }
      for (let copies = this.ackCopies(); copies > 0; copies--) this.publish(agent, 'ack', told).catch(() => {})
    }, this.ackDelayMs)
  }
}

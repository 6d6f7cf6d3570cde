import type { Part } from '../../shared/lifecycle.ts'
import type { ParsedTopic } from '../../shared/topics.ts'

export type TlsMaterial = { key: string; cert: string; ca: string; crl: string }

/** Who is there and who is coming: now, and the most of it since the start. */
export type Arrivals = {
  connected: number
  /** On their way in, from the handshake to the end of their hello; and waiting for that, unread. */
  entering: number
  waiting: number
  mostEntering: number
  mostWaiting: number
  /** Told to come later. */
  turnedAway: number
}

/** What the broker asks and tells. An agent is named only after its certificate was verified. */
export type BrokerHandlers = {
  /** Why this certificate may not connect as this agent; undefined when it may. */
  refuse(agent: string, serial: string, address: string): Promise<string | undefined>
  /** A message on a topic that is the agent's own. Resolves when the sender may go on; the time until then is backpressure. */
  onMessage(agent: string, topic: ParsedTopic, payload: Uint8Array): Promise<void>
  /** Whether work of those who are connected waits, so that newcomers have to. */
  busy?(): boolean
  onConnect(agent: string, address: string): void
  /** From now on it hears what is sent to it. */
  onListening(agent: string): void
  onDisconnect(agent: string): void
  /** Something worth a line in the agent's history: replaced, denied, flood. */
  onNote(agent: string, kind: string, detail: string): void
}

/**
 * The message broker. Real: aedes in this process; an external one fits behind the same port. Invariants: who publishes
 * on an agent's topics is that agent; a published document reaches whoever subscribes later (retain).
 */
export interface Broker extends Part {
  /** To be called once, before `start`. */
  handle(handlers: BrokerHandlers): void
  /** Resolves when it was handed to the broker. An empty payload with retain clears what was retained. */
  publish(topic: string, payload: string | Uint8Array, options: { retain: boolean }): Promise<void>
  /** Closes the agent's connection, if there is one. */
  disconnect(agent: string, reason: string): Promise<void>
  connected(agent: string): boolean
  /** Whether it hears what is sent to it: it is connected, and has subscribed. */
  listens(agent: string): boolean
  /** Resolves when it does; rejects when the signal ends the wait. */
  listening(agent: string, signal: AbortSignal): Promise<void>
  arrivals(): Arrivals
  /** New keys or revocations, for connections from now on. */
  useTls(material: TlsMaterial): void
  port(): number
}

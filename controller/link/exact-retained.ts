import { Readable } from 'node:stream'
import type { Aedes } from 'aedes'

type Retained = { topic: string; payload: string | Uint8Array }
/** What of aedes' persistence deals with retained messages. */
type Persistence = {
  storeRetained(packet: Retained): Promise<void>
  createRetainedStreamCombi(patterns: readonly string[]): Readable
}

/**
 * Finds what is retained for a subscription by its topic. The broker's own way compares each subscription with all that
 * is retained of all agents: for a thousand that come at once, millions of comparisons. Agents subscribe to no patterns.
 */
export function lookUpRetained(broker: Aedes): void {
  const { persistence } = broker as unknown as { persistence: Persistence }
  const store = persistence.storeRetained.bind(persistence)
  const held = new Map<string, Retained>()
  persistence.storeRetained = async (packet) => {
    if (packet.payload.length === 0) held.delete(packet.topic)
    else held.set(packet.topic, { ...packet })
    await store(packet)
  }
  persistence.createRetainedStreamCombi = (patterns) =>
    Readable.from(patterns.flatMap((topic) => held.get(topic) ?? []))
}

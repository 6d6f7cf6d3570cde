import { EventEmitter, once } from 'node:events'

/**
 * Which agents hear what is sent to them: a connection does from its first subscription on. Between its CONNACK and that,
 * what is not retained would be lost.
 */
export function makeListeners() {
  const listening = new Map<string, object>()
  const begun = new EventEmitter().setMaxListeners(0)

  return {
    has: (agent: string): boolean => listening.has(agent),
    /** Whether this connection of the agent did not listen before. */
    begins(agent: string, connection: object): boolean {
      if (listening.get(agent) === connection) return false
      listening.set(agent, connection)
      begun.emit(agent)
      return true
    },
    /** A new connection of the agent, or the end of one: what an older one heard is nothing to this one. */
    forget(agent: string): void {
      listening.delete(agent)
    },
    /** Resolves when the agent listens; rejects when the signal ends it. */
    async until(agent: string, signal: AbortSignal): Promise<void> {
      while (!listening.has(agent)) await once(begun, agent, { signal })
    },
  }
}

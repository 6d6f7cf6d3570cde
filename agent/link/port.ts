import type { Part } from '../../shared/lifecycle.ts'
import type { BlockList, Plan, Reply, Request } from '../../shared/schemas/desired-state.ts'

export type LinkStanding = { connected: boolean; since?: string; lastError?: string; acknowledgedAt?: string }

/** What the link calls when a verified, persisted document or request has come. */
export type LinkHandlers = {
  onPlan(plan: Plan): void
  onBlocks(blocks: BlockList): void
  onRequest(request: Request): Promise<Pick<Reply, 'ok' | 'result' | 'error'>>
  /** The controller's clock, milliseconds since 1970, as something says that was sent just now. */
  onTime?(controllerMs: number): void
}

/**
 * The connection to the controller: sends the spool up, brings signed documents down. A document takes effect only
 * after signature, agent, expiry and revision were checked and it was persisted (fsync); then its PUBACK is sent.
 */
export interface Link extends Part {
  /** Ends the connection that there is; the next one follows at once. */
  reconnect(): void
  standing(): LinkStanding
  /** Last accepted documents, from disk; undefined before the first. */
  held(): { plan?: Plan; blocks?: BlockList }
}

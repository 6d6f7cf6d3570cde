import type { Clock } from '../../shared/clock.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import type { SeenConversation } from '../capture/conversations.ts'
import type { Dump } from '../capture/dump.ts'
import type { Report } from '../spool/port.ts'

export type HearingDeps = {
  report: Report
  clock: Clock
  random: Random
  log: Log
  /** The agent's state folder; the key of pseudonyms lies below `capture/`. */
  stateDir: string
  nics: () => Promise<readonly { nic: string; cidr: string; mac: string }[]>
  ownDecoys: () => readonly { mac: string }[]
  /** tcpdump on a card; of a mirror port everything, of another what is for it and for all; nothing from or to MACs `without`. */
  listen: (
    nic: string,
    how: { mirror: boolean; without: readonly string[] },
    onBytes: (bytes: Buffer) => void,
  ) => Promise<Dump>
  /** Conversations that ended in a window, and how many hosts were heard on its day so far. */
  onConversations?: (
    cidr: string,
    conversations: readonly SeenConversation[],
    span: { from: number; to: number; hosts: number },
  ) => Promise<void>
}

export interface Hearing extends Part {
  /** What may be heard from now on. Before the first plan nothing is. */
  applyPlan(plan: Plan): void
}

import type { StreamName, StreamRecord } from '../../shared/schemas/envelope.ts'
import type { Sql } from '../store/port.ts'

export type StoredRecord<S extends StreamName = StreamName> = {
  [N in S]: { pos: number; agent: string; stream: N; receivedAt: string; record: StreamRecord<N> }
}[S]

/**
 * Turns committed records into a room's tables. Runs in the transaction that moves its cursor, so each record takes
 * effect exactly once; a projector that throws is retried with the records one by one, and a record that still fails
 * goes to the dead letters and is passed over. `project` must touch nothing but `sql`; what has to happen outside
 * (publishing, sending) happens after the commit, woken by the returned bus events.
 */
export interface Projector<S extends StreamName = StreamName> {
  readonly name: string
  readonly streams: readonly S[]
  project(sql: Sql, records: readonly StoredRecord<S>[]): Promise<BusEvent[]>
}

/** What rooms tell each other in the process. It only wakes: the database is the truth, a lost event costs time, not data. */
export type BusEvent =
  | { name: 'committed' }
  /** Something that goes into plans changed, for these agents or all. */
  | { name: 'plan-changed'; agents: string[] | 'all' }
  | { name: 'blocks-changed' }
  | { name: 'risk-crossed'; source: string }
  | { name: 'alert'; id: string }
  /** Somebody wants decoys looked at. */
  | { name: 'audit-asked' }
  | { name: 'presence'; agent: string; status: 'online' | 'offline' }
  /** A rollout of a release was changed, or a box told how far it is. */
  | { name: 'rollouts-changed' }
  | { name: 'segment-changed'; segment: string }
  | { name: 'document-state'; agent: string; document: 'plan' | 'blocks'; revision: number; outcome: string }

export interface Bus {
  emit(event: BusEvent): void
  on<N extends BusEvent['name']>(name: N, listener: (event: Extract<BusEvent, { name: N }>) => void): () => void
}

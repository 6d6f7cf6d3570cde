import type { Part } from '../../shared/lifecycle.ts'
import type { Loss, StreamName, StreamRecord } from '../../shared/schemas/envelope.ts'

/** How far a source (a decoy's event file, say) has been read; kept in the same frame as what was read from it. */
export type Positions = Record<string, { file: string; offset: number }>

export type Reading = { epoch: string; first: number; lines: string[]; losses: Loss[] }

/**
 * Durable streams of records. Invariants:
 *  - `append` resolves after fsync; records and source positions of one call become durable together or not at all;
 *  - numbers run without gaps in an epoch; whatever was dropped is in `losses` until acknowledged past;
 *  - nothing unacknowledged is dropped except at the limit or on a full disk, lowest stream value first (see streamNames);
 *  - a damaged file is set aside, told as a loss and a notice, and never keeps the spool from opening.
 */
export interface Spool extends Part {
  append<S extends StreamName>(stream: S, records: readonly StreamRecord<S>[], positions?: Positions): Promise<void>
  /** Where reading of `source` goes on, as of the last durable append. */
  positionOf(source: string): { file: string; offset: number } | undefined
  /** Forgets a source that will not come back (a removed decoy). */
  forget(source: string): Promise<void>
  /** Records from number `from` on, bounded; empty when there are none. */
  read(stream: StreamName, from: number, limit: { bytes: number; records: number }): Promise<Reading>
  /** Everything below `next` of this epoch is safe at the centre and may go. */
  acknowledge(stream: StreamName, epoch: string, next: number): Promise<void>
  standing(stream: StreamName): { epoch: string; acknowledged: number; next: number }
  bytes(): number
  /** Called after each durable append. Returns the unsubscribe function. */
  onAppend(listener: (stream: StreamName) => void): () => void
}

/** How the other rooms tell the centre something. Resolves when it is durable here. */
export type Report = <S extends StreamName>(
  stream: S,
  records: readonly StreamRecord<S>[],
  positions?: Positions,
) => Promise<void>

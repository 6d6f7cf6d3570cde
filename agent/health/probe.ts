import type { Health } from '../../shared/schemas/state.ts'

/** What one probe adds to the record. */
export type Finding = Partial<Omit<Health, 'type' | 'at' | 'probes'>>

export type Probe = {
  readonly name: string
  /** Throws when it could not look; the words go into the record. */
  measure(): Promise<{ ok: boolean; detail: string; finding?: Finding }>
}

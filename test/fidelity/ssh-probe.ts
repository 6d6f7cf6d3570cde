import { payload } from './ssh-wire.ts'

/** How far a probe goes before its own steps: nothing said, identified, keys made, service accepted, logged in. */
export type Stage = 'none' | 'greeted' | 'identified' | 'keys' | 'service' | 'session'

export type Step =
  | { bytes: Buffer }
  | { packet: Buffer }
  /** A packet whose last byte is another. */
  | { broken: Buffer }
  /** A byte each, `everyMs` apart. */
  | { slowly: Buffer; everyMs: number }
  /** The client's end of the connection is shut. */
  | { shut: true }
  /** Keys are made anew. */
  | { rekey: true }

export type Probe = {
  name: string
  stage: Stage
  /** Words the client adds to its key exchanges. */
  kex?: readonly string[]
  steps: readonly Step[]
  /** Messages that must have come, besides what answers the steps at once: of programs, and of connections made. */
  until?: readonly number[]
}

/** Fields behind the number of a message. */
export type Fields = Parameters<typeof payload> extends [number, ...infer R] ? R : never

export const text = (bytes: string): Step => ({ bytes: Buffer.from(bytes, 'latin1') })
export const packet = (...parts: Parameters<typeof payload>): Step => ({ packet: payload(...parts) })

/** Builds probes of one stage. */
export const at =
  (stage: Stage) =>
  (name: string, ...steps: Step[]): Probe => ({ name, stage, steps })

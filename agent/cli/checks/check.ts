import type { Clock } from '../../../shared/clock.ts'
import type { MarshlightError } from '../../../shared/errors.ts'
import type { AgentConfig } from '../../config.ts'
import type { Identity, Role } from '../../enrol/index.ts'

export type CheckContext = {
  stateDir: string
  config: AgentConfig
  clock: Clock
  role: Role
  identity: Identity | undefined
  /** Why there is none, though this box belongs to somebody. */
  shut?: MarshlightError | undefined
  /** Before there is an identity: the controller that the box's claim names, and its CA's fingerprint. */
  claim?: { host: string; port: number; ca: string } | undefined
  /** Where /sys, /proc and /etc are looked for: empty on a machine, another folder in tests. */
  root: string
}

/** One thing that has to be right; `next` is the one thing to do where it is not. Well with a `next` is a note. */
export type Outcome = {
  ok: boolean
  detail: string
  next?: string
  /** Of several steps, the one that failed. */
  step?: string
  /** Name of the check whose failure explains this one's. */
  follows?: string
}
/** No check has less: a box that loads images from its card is slow to answer, and that is no fault. */
export const usualMs = 15_000

export type Check = {
  readonly name: string
  /** Roles that need it; without, all do. */
  readonly roles?: readonly Role[]
  /** Checks of whose failure a failure of this one is the consequence, so that it is not told twice. */
  readonly rests?: readonly string[]
  /** It has to be done by then; the signal ends what it started. */
  readonly withinMs: number
  run(context: CheckContext, signal: AbortSignal): Promise<Outcome>
}

/** Whom this box has to reach first on its way to the controller: the proxy where it has one. */
export function firstHop({ identity, claim, config }: CheckContext): { host: string; port: number } | undefined {
  if (config.proxy === undefined) return identity?.mqtt ?? claim
  const { hostname, port } = new URL(config.proxy)
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || 80) }
}

/** Of several cards the first that fails, else the first with a note, else what all of them tell. */
export function worstOf(outcomes: readonly Outcome[]): Outcome {
  const found = outcomes.find(({ ok }) => !ok) ?? outcomes.find(({ next }) => next !== undefined)
  return found ?? { ok: true, detail: outcomes.map(({ detail }) => detail).join('; ') }
}

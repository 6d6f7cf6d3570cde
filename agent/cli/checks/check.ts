import type { Clock } from '../../../shared/clock.ts'
import type { AgentConfig } from '../../config.ts'
import type { Identity, Role } from '../../enrol/index.ts'

export type CheckContext = {
  stateDir: string
  config: AgentConfig
  clock: Clock
  role: Role
  identity: Identity | undefined
}

/** One thing that has to be right; `next` says what to do where it is not. */
export type Outcome = { ok: boolean; detail: string; next?: string }
export type Check = {
  readonly name: string
  /** Roles that need it; without, all do. */
  readonly roles?: readonly Role[]
  run(context: CheckContext): Promise<Outcome>
}

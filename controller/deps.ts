import type { Clock } from '../shared/clock.ts'
import type { Log } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import type { Reply, Request } from '../shared/schemas/desired-state.ts'
import type { ControllerConfig } from './config.ts'
import type { Store } from './store/port.ts'
import type { Bus } from './work/port.ts'

/** One-shot requests to agents: signed, sent, and answered once. Throws TIMEOUT when no reply comes, NOT_FOUND for an unknown agent. */
export interface Requests {
  send(agent: string, op: Request['op'], options?: { timeoutMs?: number }): Promise<Reply>
}

/** What every room of the controller may be given. */
export type Deps = {
  config: ControllerConfig
  dataDir: string
  store: Store
  bus: Bus
  clock: Clock
  random: Random
  log: Log
}

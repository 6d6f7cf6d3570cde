import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import { startAll } from '../../shared/lifecycle.ts'
import { type LogLevel, makeLog } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { agentVersion, loadConfig } from '../config.ts'
import { certificateTrouble, loadIdentity } from '../enrol/index.ts'
import { composeAgent } from './compose.ts'

/** The whole stopping must be over by then; a service manager kills after that anyway. */
const stopDeadlineMs = 25_000

/** Runs the agent until SIGTERM or SIGINT. Returns the exit code. */
export async function run(o: { stateDir: string; logLevel?: LogLevel; clock: Clock; random: Random }): Promise<number> {
  const config = await loadConfig(o.stateDir)
  const log = makeLog('agent', o.logLevel ?? config.logLevel)
  const identity = await loadIdentity(o.stateDir)
  log.info({ agent: identity.agent, roles: identity.roles, version: agentVersion, stateDir: o.stateDir }, 'starting')
  const trouble = certificateTrouble(identity, o.clock.now())
  if (trouble) log.warn({ code: trouble.code }, `${trouble.message}. ${trouble.next}`)

  const stopping = new AbortController()
  const asked = new Promise<string>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name))
  })
  process.on('uncaughtException', (error) => {
    // Whatever state this left is unknown; all that matters is on disk, so a fresh start is the safe way on.
    log.fatal({ err: error }, wordsOf(error))
    process.exit(1)
  })
  const stopAll = await startAll(composeAgent({ ...o, config, identity, log }), stopping.signal, log)
  log.info({ signal: await asked }, 'stopping')
  const late = setTimeout(() => {
    log.error({ deadlineMs: stopDeadlineMs }, 'did not stop in time')
    process.exit(1)
  }, stopDeadlineMs)
  await stopAll()
  stopping.abort(new Error('stopped'))
  clearTimeout(late)
  log.info('stopped')
  return 0
}

import type { Clock } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { startAll } from '../../shared/lifecycle.ts'
import { type Log, type LogLevel, makeLog } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { WipeOrder } from '../../shared/schemas/enrolment.ts'
import { makeLogRing } from '../care/log-ring.ts'
import { agentVersion, configHash, loadConfig } from '../config.ts'
import { askStanding, certificateTrouble, type Identity, loadIdentity, readHardware } from '../enrol/index.ts'
import { openUpdates } from '../updates/index.ts'
import { composeAgent } from './compose.ts'
import { takeBack } from './moved-back.ts'
import { makeServiceNotices } from './service-notices.ts'
import { finishWipe, keepOrder, startAnew, wipeAndStartAnew } from './wipe.ts'

/** The whole stopping must be over by then; a service manager kills after that anyway. */
const stopDeadlineMs = 25_000

/** Runs the agent until SIGTERM or SIGINT. Returns the exit code. Throws WIPED where the controller took this box back. */
export async function run(o: { stateDir: string; logLevel?: LogLevel; clock: Clock; random: Random }): Promise<number> {
  let config = await loadConfig(o.stateDir)
  const ring = makeLogRing()
  const log = makeLog('agent', o.logLevel ?? config.logLevel, ring.push)
  if (await finishWipe({ ...o, log })) await startAnew({ log })
  if (await takeBack({ stateDir: o.stateDir, log })) config = await loadConfig(o.stateDir)
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
  const { ordered, onRefused } = wipeOrders(o.clock, log, config.proxy)
  const [hardware, configured] = await Promise.all([readHardware(), configHash(o.stateDir)])
  const updates = await openUpdates({
    ...{ stateDir: o.stateDir, clock: o.clock, log, version: agentVersion, processEnv: process.env },
    keepsDecoys: identity.roles.includes('decoys'),
  })
  const stopAll = await startAll(
    composeAgent({ ...o, config, configured, identity, log, ring, hardware, updates, onRefused }),
    stopping.signal,
    log,
  )
  const notices = makeServiceNotices({ env: process.env, clock: o.clock, log })
  notices.ready()
  const why = await Promise.race([asked, ordered, updates.asked])
  const another = typeof why !== 'string' && 'code' in why
  log.info(typeof why === 'string' ? { signal: why } : { reason: another ? why.why : why.reason }, 'stopping')
  // The service goes on by another version: its manager has nothing to wait for.
  if (!another) notices.stopping()
  if (typeof why !== 'string' && !another) await keepOrder(why, identity, o.stateDir)
  const late = setTimeout(() => {
    log.error({ deadlineMs: stopDeadlineMs }, 'did not stop in time')
    process.exit(1)
  }, stopDeadlineMs)
  await stopAll()
  stopping.abort(new Error('stopped'))
  clearTimeout(late)
  log.info('stopped')
  if (typeof why === 'string') return 0
  if (another) return why.code
  await wipeAndStartAnew({ ...o, log })
  // Says so by an error, and whether something is left to be wiped.
  await loadIdentity(o.stateDir)
  throw new MarshlightError('WIPED', { at: why.issuedAt, reason: why.reason })
}

/** Asks, each time the certificate is refused, whether this box is to be wiped. */
function wipeOrders(clock: Clock, log: Log, proxy: string | undefined) {
  const { promise: ordered, resolve } = Promise.withResolvers<WipeOrder>()
  let asking = false
  async function look(identity: Identity): Promise<void> {
    if (asking) return
    asking = true
    try {
      const order = await askStanding(identity, clock.now(), proxy)
      if (order) resolve(order)
      else log.warn('the controller refuses the certificate, and has no order for this box')
    } catch (error) {
      log.warn({ code: (error as { code?: string }).code }, `how this box stands is not known: ${wordsOf(error)}`)
    } finally {
      asking = false
    }
  }
  return { ordered, onRefused: (identity: Identity) => void look(identity) }
}

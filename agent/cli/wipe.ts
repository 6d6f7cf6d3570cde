import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import { syncFolder } from '../../shared/files.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { WipeOrder } from '../../shared/schemas/enrolment.ts'
import { forgetWiped, type Identity, loadIdentity, readWiped, saveWiped, serialOf, type Wiped } from '../enrol/index.ts'
import { cleanupSteps } from './cleanup.ts'

type WipeDeps = {
  stateDir: string
  clock: Clock
  random: Random
  log: Log
  /** What removes all that is outside the state folder. */
  steps?: (deps: WipeDeps, of: Wiped) => Promise<{ what: string; run(): Promise<void> }[]>
}

/** Secrets first: what follows may need an engine that does not answer. */
const secrets = ['identity', 'spool', 'documents']
/** The file that says why, and the configuration, which holds no secret and serves the next enrolment. */
const stays = new Set(['wiped.json', 'agent.json'])

/**
 * Keeps a verified order, before the agent stops: what follows happens even if it does not stop, or power goes.
 *
 *   order kept (wiped.json) -> keys, spool, documents -> containers, packet filters -> all the rest -> done
 */
export async function keepOrder(order: WipeOrder, identity: Identity, stateDir: string): Promise<void> {
  const { agent, name, roles } = identity
  const { reason, issuedAt: at } = order
  // Of the identity on disk: in the midst of a renewal the order may be for the next certificate.
  const held = await loadIdentity(stateDir).catch(() => identity)
  const serial = serialOf(held.certificate)
  await saveWiped(stateDir, { v: 1, agent, name, roles, serial, at, reason, done: false })
}

/** Carries out the wipe that was ordered, or goes on where it broke off; does nothing where none was ordered. The agent must not run. */
export async function finishWipe(deps: WipeDeps): Promise<void> {
  const wiped = await readWiped(deps.stateDir)
  if (!wiped || wiped.done) return
  const held = await loadIdentity(deps.stateDir).catch(() => undefined)
  // Enrolled anew since, and power went before the order was forgotten.
  if (held && serialOf(held.certificate) !== wiped.serial) return forgetWiped(deps.stateDir)
  await carryOut(wiped, deps)
}

async function carryOut(wiped: Wiped, deps: WipeDeps): Promise<void> {
  const { stateDir, log } = deps
  log.warn({ agent: wiped.agent, reason: wiped.reason }, 'wiping this box')
  for (const folder of secrets) await rm(join(stateDir, folder), { recursive: true, force: true })
  await syncFolder(stateDir)
  let clean = true
  for (const { what, run } of await (deps.steps ?? cleanupSteps)(deps, wiped)) {
    try {
      await run()
    } catch (error) {
      clean = false
      log.error({ why: wordsOf(error) }, `not removed yet, tried again at the next start: ${what}`)
    }
  }
  for (const name of await readdir(stateDir))
    if (!stays.has(name)) await rm(join(stateDir, name), { recursive: true, force: true })
  await syncFolder(stateDir)
  await saveWiped(stateDir, { ...wiped, done: clean })
  log.warn({ agent: wiped.agent, complete: clean }, 'this box is wiped')
}

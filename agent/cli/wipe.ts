import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import { syncFolder } from '../../shared/files.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { WipeOrder } from '../../shared/schemas/enrolment.ts'
import { type Identity, readWiped, saveWiped, type Wiped } from '../enrol/index.ts'
import { cleanupSteps } from './cleanup.ts'

type WipeDeps = { stateDir: string; clock: Clock; random: Random; log: Log }

/** Secrets first: what follows may need an engine that does not answer. */
const secrets = ['identity', 'spool', 'documents']
/** The file that says why, and the configuration, which holds no secret and serves the next enrolment. */
const stays = new Set(['wiped.json', 'agent.json'])

/**
 * Forgets everything by a verified order. The agent must not run.
 *
 *   order kept (wiped.json) -> keys, spool, documents -> containers, packet filters -> all the rest -> done
 *
 * Whatever breaks it off, `finishWipe` goes on from the kept order.
 */
export async function wipe(order: WipeOrder, identity: Identity, deps: WipeDeps): Promise<Wiped> {
  const { agent, name, roles } = identity
  const { serial, reason, issuedAt: at } = order
  const wiped: Wiped = { v: 1, agent, name, roles, serial, at, reason, done: false }
  await saveWiped(deps.stateDir, wiped)
  return carryOut(wiped, deps)
}

/** Carries on a wipe that was broken off; does nothing where none was. */
export async function finishWipe(deps: WipeDeps): Promise<void> {
  const wiped = await readWiped(deps.stateDir)
  if (wiped && !wiped.done) await carryOut(wiped, deps)
}

async function carryOut(wiped: Wiped, deps: WipeDeps): Promise<Wiped> {
  const { stateDir, log } = deps
  log.warn({ agent: wiped.agent, reason: wiped.reason }, 'wiping this box')
  for (const folder of secrets) await rm(join(stateDir, folder), { recursive: true, force: true })
  await syncFolder(stateDir)
  let clean = true
  for (const { what, run } of await cleanupSteps(deps, wiped)) {
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
  const after = { ...wiped, done: clean }
  await saveWiped(stateDir, after)
  log.warn({ agent: wiped.agent, complete: clean }, 'this box is wiped')
  return after
}

import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import { syncFolder } from '../../shared/files.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { retryDelay } from '../../shared/retry.ts'
import type { WipeOrder } from '../../shared/schemas/enrolment.ts'
import {
  forgetWiped,
  type Identity,
  readStoredIdentity,
  readWiped,
  saveWiped,
  serialOf,
  type Wiped,
} from '../enrol/index.ts'
import { keysPath, sshUnit } from '../first-boot/system-files.ts'
import { run } from './box.ts'
import { cleanupSteps } from './cleanup.ts'

type WipeStep = { what: string; run(): Promise<void> }
type WipeDeps = {
  stateDir: string
  clock: Clock
  random: Random
  log: Log
  /** What removes all that is outside the state folder. */
  steps?: (deps: WipeDeps, of: Wiped) => Promise<WipeStep[]>
  /** Where /data and /usr are: empty on a machine, another folder in tests. */
  root?: string
  command?: typeof run
}

/** Secrets first: what follows may need an engine that does not answer. */
const secrets = ['identity', 'spool', 'documents']
/** The file that says why, and the configuration, which holds no secret and serves the next enrolment. */
const stays = new Set(['wiped.json', 'agent.json'])
const units = '/usr/lib/systemd/system'
/** Of an image alone. */
const firstBootUnit = 'marshlight-first-boot.service'

/**
 * Keeps a verified order, before the agent stops: what follows happens even if it does not stop, or power goes.
 *
 *   order kept (wiped.json) -> keys, spool, documents -> SSH -> containers, packet filters -> all the rest -> done
 */
export async function keepOrder(order: WipeOrder, identity: Identity, stateDir: string): Promise<void> {
  const { agent, name, roles } = identity
  const { reason, issuedAt: at } = order
  // Of the identity on disk: in the midst of a renewal the order may be for the next certificate.
  const held = (await readStoredIdentity(stateDir)) ?? identity
  const serial = serialOf(held.certificate)
  await saveWiped(stateDir, { v: 1, agent, name, roles, serial, at, reason, done: false })
}

/**
 * Carries out the wipe that was ordered, or goes on where it broke off; does nothing where none was ordered. The agent must
 * not run. Resolves with whether it was this that ended it.
 */
export async function finishWipe(deps: WipeDeps): Promise<boolean> {
  const wiped = await readWiped(deps.stateDir)
  if (!wiped || wiped.done) return false
  const held = await readStoredIdentity(deps.stateDir)
  // Enrolled anew since, and power went before the order was forgotten.
  if (held && serialOf(held.certificate) !== wiped.serial) {
    await forgetWiped(deps.stateDir)
    return false
  }
  return carryOut(wiped, deps)
}

/** An engine that starts along with this box answers in a minute or two; later it is for the next start. */
const [mostTries, delays] = [8, { firstMs: 2_000, capMs: 30_000 }]

/** Goes on with a wipe that something kept from its end, before the box is anybody's anew. Rejects only with the signal's reason. */
export async function finishWipeInTime(deps: WipeDeps & { signal: AbortSignal }): Promise<void> {
  const { stateDir, clock, random, signal } = deps
  for (let attempt = 1; ; attempt++) {
    await finishWipe(deps)
    if ((await readWiped(stateDir))?.done !== false || attempt === mostTries) return
    await clock.sleep(retryDelay(attempt, { ...delays, random }), signal)
  }
}

/** A wiped box of an image starts anew: memory forgets too, and a new enrolment file is looked for. */
export async function startAnew({ root = '', command = run, log }: Pick<WipeDeps, 'root' | 'command' | 'log'>) {
  if (!existsSync(join(root, units, firstBootUnit))) return
  log.warn('this box starts anew, and waits for a new enrolment file')
  await command('systemctl', '--no-block', 'reboot').catch((error) => log.error({ why: wordsOf(error) }, 'no restart'))
}

/**
 * Carries out the order that came while the agent ran. Of an image the box then starts anew even where something could not
 * be removed yet: first-boot goes on with that, and tends screen and page, which nobody does once the agent has ended.
 */
export async function wipeAndStartAnew(deps: WipeDeps): Promise<void> {
  await finishWipe(deps)
  await startAnew(deps)
}

/** On an image: who may log in, the host key of SSH, and whoever is logged in. */
function sshSteps({ root = '', command = run }: WipeDeps): WipeStep[] {
  if (!existsSync(join(root, units, sshUnit))) return []
  const folder = join(root, dirname(keysPath))
  const forget = async () => {
    // What is in it: where the agent runs, the folder itself is a mount.
    for (const name of await readdir(folder).catch(() => []))
      await rm(join(folder, name), { recursive: true, force: true })
    if (existsSync(folder)) await syncFolder(folder)
  }
  return [
    { what: `the keys of SSH in ${folder}`, run: forget },
    { what: `SSH (${sshUnit})`, run: () => command('systemctl', 'stop', sshUnit) },
  ]
}

async function carryOut(wiped: Wiped, deps: WipeDeps): Promise<boolean> {
  const { stateDir, log } = deps
  log.warn({ agent: wiped.agent, reason: wiped.reason }, 'wiping this box')
  for (const folder of secrets) await rm(join(stateDir, folder), { recursive: true, force: true })
  await syncFolder(stateDir)
  let clean = true
  for (const step of [...sshSteps(deps), ...(await (deps.steps ?? cleanupSteps)(deps, wiped))]) {
    try {
      await step.run()
    } catch (error) {
      clean = false
      log.error({ why: wordsOf(error) }, `not removed yet, tried again: ${step.what}`)
    }
  }
  for (const name of await readdir(stateDir))
    if (!stays.has(name)) await rm(join(stateDir, name), { recursive: true, force: true })
  await syncFolder(stateDir)
  await saveWiped(stateDir, { ...wiped, done: clean })
  log.warn({ agent: wiped.agent, complete: clean }, 'this box is wiped')
  return clean
}

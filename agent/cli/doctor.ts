import type { Clock } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { forTerminal } from '../../shared/terminal.ts'
import { loadConfig } from '../config.ts'
import { type Identity, loadIdentity } from '../enrol/index.ts'
import type { Check, CheckContext, Outcome } from './checks/check.ts'
import { clock as clockCheck, enrolment, reach } from './checks/controller.ts'
import { engine, images } from './checks/engine.ts'
import { cards, rights, stateFolder, tools } from './checks/machine.ts'
import { pageSharing } from './checks/page-sharing.ts'
import { asJson, type Terminal } from './print.ts'

const checks: readonly Check[] = [
  rights,
  stateFolder,
  tools,
  cards,
  engine,
  images,
  pageSharing,
  enrolment,
  clockCheck,
  reach,
]

/** Looks at everything an agent needs. Returns the exit code: 1 where something has to be mended. */
export async function doctor(
  o: { stateDir: string; json: boolean; clock: Clock },
  terminal: Terminal,
): Promise<number> {
  const config = await loadConfig(o.stateDir)
  const identity = await identityIfThere(o.stateDir)
  const role = identity && !identity.roles.includes('decoys') ? 'enforcer' : 'decoys'
  const context: CheckContext = { stateDir: o.stateDir, config, clock: o.clock, role, identity }
  const outcomes: ({ name: string } & Outcome)[] = []
  for (const check of checks) {
    if (check.roles && !check.roles.includes(role)) continue
    const outcome = await check
      .run(context)
      .catch((error): Outcome => ({ ok: false, detail: wordsOf(error), next: 'Run it again with sudo.' }))
    outcomes.push({ name: check.name, ...outcome })
    if (!o.json) print(terminal, check.name, outcome)
  }
  const ok = outcomes.every((outcome) => outcome.ok)
  if (o.json) terminal.out(asJson({ ok, checks: outcomes }))
  else terminal.out(ok ? '\nAll is well.' : '\nMend what is marked, from the top: the first often causes the rest.')
  return ok ? 0 : 1
}

function print(terminal: Terminal, name: string, { ok, detail, next }: Outcome): void {
  terminal.out(`${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(14)} ${forTerminal(detail)}`)
  if (next) terminal.out(`      ${' '.repeat(14)} -> ${forTerminal(next)}`)
}

async function identityIfThere(stateDir: string): Promise<Identity | undefined> {
  try {
    return await loadIdentity(stateDir)
  } catch (error) {
    if (error instanceof MarshlightError) return undefined
    throw error
  }
}

import type { Clock } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import { forTerminal } from '../../shared/terminal.ts'
import { loadConfig } from '../config.ts'
import { wrapped } from '../console/words.ts'
import { isNobodys, loadIdentity } from '../enrol/index.ts'
import type { CheckContext } from './checks/check.ts'
import { type Examined, examine } from './checks/examine.ts'
import { checks } from './checks/registry.ts'
import { asJson, type Terminal } from './print.ts'

/** Looks at everything an agent needs. Returns the exit code: 1 where something has to be mended. */
export async function doctor(
  o: { stateDir: string; json: boolean; clock: Clock },
  terminal: Terminal,
): Promise<number> {
  // The system's own lookup cannot be broken off: it shall not try a silent name server for long (resolv.conf(5)).
  process.env.RES_OPTIONS ??= 'timeout:2 attempts:1'
  const config = await loadConfig(o.stateDir)
  const { identity, shut } = await identityHere(o.stateDir)
  const role = identity && !identity.roles.includes('decoys') ? 'enforcer' : 'decoys'
  if (!o.json) terminal.err('Looking at this box and its network; this takes up to half a minute ...')
  const context = { stateDir: o.stateDir, config, clock: o.clock, role, identity, shut, root: '' } as const
  const found = await examine(checks, context)
  const ok = found.every((one) => one.ok)
  if (o.json) terminal.out(asJson({ ok, checks: found }))
  else terminal.out([...found.map(shown), '', verdict(found)].join('\n'))
  return ok ? 0 : 1
}

const [columns, nameWidth] = [80, 14]
const indent = ' '.repeat(4 + 2 + nameWidth + 1)

/** `ok`, `note` (well, but to be known), `FAIL`, or `skip`: what may be so through another, which is told instead. */
export const markOf = ({ ok, next, follows }: Examined): string =>
  follows !== undefined ? 'skip' : !ok ? 'FAIL' : next === undefined ? 'ok' : 'note'

export function shown(one: Examined): string {
  const { name, detail, next, follows } = one
  const told = follows === undefined ? detail : `unknown until "${follows}" above is mended`
  const lines = wrapped(forTerminal(told), columns - indent.length)
  const steps = next === undefined ? [] : wrapped(forTerminal(next), columns - indent.length - 3)
  return [
    `${markOf(one).padEnd(4)}  ${name.padEnd(nameWidth)} ${lines.join(`\n${indent}`)}`,
    ...(steps.length > 0 ? [`${indent}-> ${steps.join(`\n${indent}   `)}`] : []),
  ].join('\n')
}

export function verdict(found: readonly Examined[]): string {
  const count = (mark: string) => found.filter((one) => markOf(one) === mark).length
  const [faults, notes] = [count('FAIL'), count('note')]
  if (faults === 0) return notes === 0 ? 'All is well.' : 'All is well; the lines marked "note" are good to know.'
  const what = faults === 1 ? 'One thing has' : `${faults} things have`
  return `${what} to be mended: do what "->" says at each FAIL, from the top,\nthen run this again.`
}

async function identityHere(stateDir: string): Promise<Pick<CheckContext, 'identity' | 'shut'>> {
  try {
    return { identity: await loadIdentity(stateDir) }
  } catch (error) {
    if (!(error instanceof MarshlightError)) throw error
    return { identity: undefined, shut: isNobodys(error) ? undefined : error }
  }
}

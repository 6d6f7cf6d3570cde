import { readFile } from 'node:fs/promises'
import type { Clock } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { silentLog } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { parseEnrolmentFile } from '../../shared/schemas/enrolment-file.ts'
import { agentVersion, loadConfig } from '../config.ts'
import { enrol, identityPath, type Role } from '../enrol/index.ts'
import { asJson, type Terminal } from './print.ts'
import { codeFrom } from './typed-code.ts'
import { finishWipe } from './wipe.ts'

export type EnrolCommand = {
  stateDir: string
  controller?: string
  token?: string
  tokenFile?: string
  /** A code is read from the terminal, or from standard input. */
  code?: boolean
  roles: Role[]
  json: boolean
  clock: Clock
  random: Random
}

export async function enrolCommand(o: EnrolCommand, terminal: Terminal): Promise<number> {
  const by = await credentialsOf(o, terminal)
  // A wipe that broke off may have left the old key.
  await finishWipe({ ...o, log: silentLog })
  const { proxy } = await loadConfig(o.stateDir)
  const identity = await enrol({
    stateDir: o.stateDir,
    proxy,
    ...by,
    version: agentVersion,
    roles: o.roles,
    now: o.clock.now(),
    wait: o,
    onStep: (step) => terminal.err(`${step} ...`),
  })
  const { agent, name, roles, mqtt } = identity
  if (o.json) terminal.out(asJson({ agent, name, roles, mqtt, path: identityPath(o.stateDir) }))
  else terminal.out(`This machine is ${name} (${agent}) now. Next: marshlight-agent doctor, then run.`)
  return 0
}

/** A token or a code, and whose. A token's file may be the one that goes on a card, as `agents invite --out` makes it. */
async function credentialsOf(o: EnrolCommand, terminal: Terminal) {
  if ([o.token !== undefined, o.tokenFile !== undefined, o.code === true].filter(Boolean).length !== 1)
    throw new MarshlightError('USAGE', {
      what: 'give one of --token-file, --code and --token',
      command: 'marshlight-agent enrol',
    })
  if (o.code) return codeFrom(process.stdin, terminal, o)
  const text = o.token ?? (await fileText(o.tokenFile ?? ''))
  const named = o.controller !== undefined && { controller: o.controller }
  if (!/^\uFEFF?\s*\{/.test(text)) return { token: text, ...named }
  const { claim, controller, hostname } = parseEnrolmentFile(text, o.tokenFile ?? '--token')
  return { token: claim, controller, ...named, ...(hostname !== undefined && { hostname }) }
}

async function fileText(file: string): Promise<string> {
  try {
    return await readFile(file === '-' ? '/dev/stdin' : file, 'utf8')
  } catch (error) {
    throw new MarshlightError('TOKEN_INVALID', { why: wordsOf(error) }, { cause: error })
  }
}

import { readFile } from 'node:fs/promises'
import type { Clock } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { silentLog } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { agentVersion } from '../config.ts'
import { enrol, identityPath, type Role } from '../enrol/index.ts'
import { asJson, type Terminal } from './print.ts'
import { finishWipe } from './wipe.ts'

export type EnrolCommand = {
  stateDir: string
  controller?: string
  token?: string
  tokenFile?: string
  roles: Role[]
  json: boolean
  clock: Clock
  random: Random
}

export async function enrolCommand(o: EnrolCommand, terminal: Terminal): Promise<number> {
  const token = await tokenOf(o)
  // A wipe that broke off may have left the old key.
  await finishWipe({ ...o, log: silentLog })
  const identity = await enrol({
    stateDir: o.stateDir,
    token,
    ...(o.controller !== undefined && { controller: o.controller }),
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

async function tokenOf(o: EnrolCommand): Promise<string> {
  if ((o.token === undefined) === (o.tokenFile === undefined))
    throw new MarshlightError('USAGE', {
      what: 'give either --token or --token-file',
      command: 'marshlight-agent enrol',
    })
  if (o.token !== undefined) return o.token
  try {
    return await readFile(o.tokenFile === '-' ? '/dev/stdin' : (o.tokenFile ?? ''), 'utf8')
  } catch (error) {
    throw new MarshlightError('TOKEN_INVALID', { why: wordsOf(error) }, { cause: error })
  }
}

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { parseCode } from '../../shared/enrolment-code.ts'
import { MarshlightError } from '../../shared/errors.ts'
import { readIfThere, writeFileAtomic } from '../../shared/files.ts'
import { parseAddress } from './token.ts'

/**
 * A code that somebody typed, kept from when the controller turned out to be its maker until the box is let in or turned
 * away: whoever typed it has left when power fails, or an administrator approves.
 */
const kept = z.object({ v: z.literal(1), controller: z.string().max(300), code: z.string().max(64) })
export type TypedCode = { controller: string; code: string }

const pathIn = (stateDir: string) => join(stateDir, 'identity', 'typed-code.json')

/** The code that this box may go on with by itself. One that cannot be read is none. */
export async function typedBefore(stateDir: string): Promise<TypedCode | undefined> {
  const text = await readIfThere(pathIn(stateDir))
  if (text === undefined) return undefined
  try {
    const { controller, code } = kept.parse(JSON.parse(text))
    parseCode(code)
    return { controller, code }
  } catch {
    return undefined
  }
}

export const keepTyped = (stateDir: string, typed: TypedCode): Promise<void> =>
  writeFileAtomic(pathIn(stateDir), `${JSON.stringify({ v: 1, ...typed })}\n`, 0o600)

export const forgetTyped = (stateDir: string): Promise<void> => rm(pathIn(stateDir), { force: true })

/**
 * A code as somebody typed it, for the controller he named; or `HOST:PORT CODE` in one, as the QR code of an invitation
 * holds it. Throws CODE_MISTYPED; USAGE where there is no address, or none that can be.
 */
export function readTyped(typed: string, named: string | undefined): TypedCode {
  const [first = '', ...rest] = typed.trim().split(/\s+/)
  // No code has a dot or a colon, and few addresses have neither.
  const pasted = /[.:]/.test(first)
  const controller = pasted ? first : named?.trim()
  const code = pasted ? rest.join(' ') : typed.trim()
  if (!controller)
    throw new MarshlightError('USAGE', {
      what: '--code needs --controller: a code does not say where it is from',
      command: 'marshlight-agent enrol',
    })
  addressOfCode(controller)
  parseCode(code)
  return { controller, code }
}

const defaultEnrolPort = 8884
/** People leave the port out. */
export const addressOfCode = (controller: string): { host: string; port: number } =>
  parseAddress(/:\d+$/.test(controller) ? controller : `${controller}:${defaultEnrolPort}`)

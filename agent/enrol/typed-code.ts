import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { parseCode } from '../../shared/enrolment-code.ts'
import { readIfThere, writeFileAtomic } from '../../shared/files.ts'

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

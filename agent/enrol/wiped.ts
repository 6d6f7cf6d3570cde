import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readIfThere, writeFileAtomic } from '../../shared/files.ts'
import { id, utc } from '../../shared/schemas/common.ts'
import { role } from './identity-roles.ts'

/** A wipe that was ordered: what it is of, so that it can be carried on without the identity; and why, for who looks. */
const record = z.object({
  v: z.literal(1),
  agent: id,
  name: z.string().max(253),
  roles: z.array(role).min(1),
  serial: z.string().max(64),
  at: utc,
  reason: z.string().max(256),
  /** Nothing is left but this file and the configuration. */
  done: z.boolean(),
})
export type Wiped = z.infer<typeof record>

export const wipedPath = (stateDir: string) => join(stateDir, 'wiped.json')

/** The wipe that this state folder went through, or is in. One that cannot be read is none. */
export async function readWiped(stateDir: string): Promise<Wiped | undefined> {
  const text = await readIfThere(wipedPath(stateDir))
  if (text === undefined) return undefined
  try {
    return record.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

export const saveWiped = (stateDir: string, wiped: Wiped): Promise<void> =>
  writeFileAtomic(wipedPath(stateDir), `${JSON.stringify(record.parse(wiped), null, 2)}\n`, 0o600)

export const forgetWiped = (stateDir: string): Promise<void> => rm(wipedPath(stateDir), { force: true })

import { join } from 'node:path'
import { z } from 'zod'
import { readIfThere, writeFileAtomic } from '../../shared/files.ts'

const record = z.object({ v: z.literal(1), claimId: z.string().min(1).max(64) })
const pathIn = (stateDir: string) => join(stateDir, 'claim.json')

/** Keeps which claim this box begins to use, before it asks. */
export const keepBegun = (stateDir: string, claimId: string): Promise<void> =>
  writeFileAtomic(pathIn(stateDir), JSON.stringify({ v: 1, claimId }))

/** What cannot be read was none: the claim is begun once more. */
export async function readBegun(stateDir: string): Promise<string | undefined> {
  try {
    return record.parse(JSON.parse((await readIfThere(pathIn(stateDir))) ?? '')).claimId
  } catch {
    return undefined
  }
}

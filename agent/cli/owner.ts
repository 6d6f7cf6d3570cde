import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { id } from '../../shared/schemas/common.ts'
import { role } from '../enrol/identity-roles.ts'

/** Whose things on this machine are meant. Without `agent` nobody can tell any more; without `roles` it may have had any. */
export type Owner = z.infer<typeof owner>
const owner = z.object({
  agent: id.optional(),
  name: z.string().min(1).optional().catch(undefined),
  roles: z.array(role).min(1).optional().catch(undefined),
})

/** Also within the text of a signed document, where the quotation marks are escaped. */
const agentIn = /\\?"agent\\?"\s*:\s*\\?"([0-9a-f-]{36})\\?"/

/**
 * Who enrolled here, from whatever is left to tell it by: the identity, one that was damaged and set aside, or the held
 * documents. Undefined where nobody enrolled. Reads only.
 */
export async function ownerOf(stateDir: string): Promise<Owner | undefined> {
  const identities = (await names(join(stateDir, 'identity')))
    .filter((name) => name.startsWith('identity.json'))
    .sort()
    .map((name) => join('identity', name))
  const documents = (await names(join(stateDir, 'documents')))
    .filter((name) => name.endsWith('.json'))
    .map((name) => join('documents', name))
  for (const name of [...identities, ...documents]) {
    const text = await readFile(join(stateDir, name), 'utf8').catch(() => '')
    const found = wholeOwner(text) ?? owner.safeParse({ agent: agentIn.exec(text)?.[1] }).data
    if (found?.agent !== undefined) return found
  }
  return identities.length + documents.length > 0 ? {} : undefined
}

function wholeOwner(text: string): Owner | undefined {
  try {
    return owner.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

const names = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])

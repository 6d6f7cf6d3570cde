import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { MarshlightError } from '../../shared/errors.ts'
import { readIfThere, writeFileAtomic } from '../../shared/files.ts'
import { id, port } from '../../shared/schemas/common.ts'

/** What the controller answered to an enrolment. */
export const enrolAnswer = z.object({
  agent: id,
  name: z.string().max(253),
  certificate: z.string().max(16384),
  ca: z.string().max(16384),
  mqtt: z.object({ host: z.string().max(253), port }),
  signingKey: z.string().max(1024),
  roles: z.array(z.enum(['decoys', 'enforcer'])).min(1),
})

/** Who this agent is. `key` is its private key, PEM. */
export type Identity = z.infer<typeof enrolAnswer> & { key: string; certificateExpires: string }

export const identityFile = (stateDir: string) => join(stateDir, 'identity/identity.json')
export const keyFile = (stateDir: string) => join(stateDir, 'identity/key.pem')

/** Throws NOT_ENROLLED where there is none, STATE_CORRUPT where it cannot be read. */
export async function loadIdentity(stateDir: string): Promise<Identity> {
  const path = identityFile(stateDir)
  const [text, key] = [await readIfThere(path), await readIfThere(keyFile(stateDir))]
  if (text === undefined || key === undefined) throw new MarshlightError('NOT_ENROLLED', { path })
  try {
    const answer = enrolAnswer.parse(JSON.parse(text))
    return { ...answer, key, certificateExpires: new X509Certificate(answer.certificate).validToDate.toISOString() }
  } catch (error) {
    throw new MarshlightError('STATE_CORRUPT', { path, why: String(error), aside: 'nothing; enrol again' })
  }
}

/** The identity, or undefined where none is kept yet. */
export async function identityIfThere(stateDir: string): Promise<Identity | undefined> {
  return (await readIfThere(identityFile(stateDir))) === undefined ? undefined : loadIdentity(stateDir)
}

export const saveIdentity = (stateDir: string, answer: z.infer<typeof enrolAnswer>) =>
  writeFileAtomic(identityFile(stateDir), `${JSON.stringify(answer, null, 2)}\n`)

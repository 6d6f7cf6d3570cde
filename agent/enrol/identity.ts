import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { readIfThere, syncFolder, writeFileAtomic } from '../../shared/files.ts'
import { id, port } from '../../shared/schemas/common.ts'
import { role } from './identity-roles.ts'
import { isSealed, keyIn } from './sealed-key.ts'
import { readWiped } from './wiped.ts'

export const stored = z.object({
  v: z.literal(1),
  agent: id,
  name: z.string().min(1).max(253),
  roles: z.array(role).min(1),
  certificate: z.string(),
  ca: z.string(),
  mqtt: z.object({ host: z.string().min(1).max(253), port }),
  /** Where this agent enrolled, and renews its certificate. */
  enrol: z.object({ host: z.string().min(1).max(253), port }).optional(),
  /** The file beside this one that holds the certificate's key, where it was renewed. */
  keyFile: z
    .string()
    .regex(/^key-[0-9a-f]{1,40}\.pem$/)
    .optional(),
  /** The controller's Ed25519 key, SPKI PEM: what signs documents. */
  signingKey: z.string(),
})
export type StoredIdentity = z.infer<typeof stored>
/** Who this agent is, and whom it trusts. `sealed`: its key opens by the TPM of this box alone. */
export type Identity = StoredIdentity & { key: string; sealed?: boolean }

const warnBeforeMs = 30 * 86_400_000

export const identityPath = (stateDir: string) => join(stateDir, 'identity', 'identity.json')
export const keyPath = (stateDir: string, file = 'key.pem') => join(stateDir, 'identity', file)
export const requestPath = (stateDir: string) => join(stateDir, 'identity', 'request.pem')

/** The identity in `stateDir`. Throws NOT_ENROLLED where there is none, WIPED where it was taken back, STATE_CORRUPT (and sets it aside) where it cannot be read. */
export async function loadIdentity(stateDir: string): Promise<Identity> {
  const path = identityPath(stateDir)
  const text = await readIfThere(path)
  const wiped = await readWiped(stateDir)
  const missing = wiped
    ? new MarshlightError('WIPED', { at: wiped.at, reason: wiped.reason, ...(!wiped.done && { left: 'containers' }) })
    : new MarshlightError('NOT_ENROLLED', { path: join(stateDir, 'identity') })
  if (text === undefined) throw missing
  try {
    const identity = stored.parse(JSON.parse(text))
    new X509Certificate(identity.certificate)
    const held = await readIfThere(keyPath(stateDir, identity.keyFile))
    if (held === undefined) throw missing
    return { ...identity, key: await keyIn(held), sealed: isSealed(held) }
  } catch (error) {
    const code = error instanceof MarshlightError ? error.code : undefined
    if (error === missing || code === 'TPM_FAILED') throw error
    if (code === 'KEY_SEALED_ELSEWHERE') throw await setAside(stateDir, String((error as MarshlightError).details.why))
    const aside = `${path}.corrupt-${Math.round((await stat(path)).mtimeMs)}`
    await rename(path, aside)
    throw new MarshlightError('STATE_CORRUPT', { path, aside, why: wordsOf(error).slice(0, 200) })
  }
}

/** Whether `loadIdentity` found that this box belongs to nobody, and that nothing is wrong with that. */
export const isNobodys = (error: unknown): boolean =>
  error instanceof MarshlightError && (error.code === 'NOT_ENROLLED' || error.code === 'WIPED')

/** What stands of this agent beside its key, which stays shut; undefined where that cannot be told. */
export async function readStoredIdentity(stateDir: string): Promise<StoredIdentity | undefined> {
  try {
    const identity = stored.parse(JSON.parse((await readIfThere(identityPath(stateDir))) ?? ''))
    new X509Certificate(identity.certificate)
    return identity
  } catch {
    return undefined
  }
}

export const asideEnd = '.sealed-elsewhere'
/** What in the state folder itself is of an identity: by which claim it came, and the settings of its site. */
export const besides = ['claim.json', 'site.json']

/**
 * Without its key the identity is none: both go aside, whole, so that the box can be enrolled anew and nothing is lost.
 * moved-back.ts is the way back. Gives the error that says so.
 *
 *   copy of claim and site -> keys it does not need -> identity.json -> what else goes with it -> its key
 *
 * Power may go at any point: what stands without identity.json is no box's, but for its own key.
 */
export async function setAside(stateDir: string, why: string): Promise<MarshlightError> {
  const folder = join(stateDir, 'identity')
  const all = await readdir(folder)
  // Where it went, another program is at the same.
  if (!all.includes('identity.json')) return sealedElsewhere(why)
  // What was set aside before may still be moved back.
  let end = asideEnd
  for (let n = 2; all.includes(`identity.json${end}`); n++) end = `${asideEnd}-${n}`
  const move = (name: string) => renameIfThere(join(folder, name), join(folder, `${name}${end}`))
  for (const name of besides) {
    const text = await readIfThere(join(stateDir, name))
    if (text === undefined) await rm(join(folder, `${name}${end}`), { force: true })
    else await writeFileAtomic(join(folder, `${name}${end}`), text)
  }
  const own = (await readStoredIdentity(stateDir))?.keyFile ?? 'key.pem'
  for (const name of all) if (keyFiles.test(name) && name !== own) await move(name)
  const isOurs = await move('identity.json')
  for (const name of isOurs ? ['request.pem', 'renewal.json', own] : []) await move(name)
  await syncFolder(folder)
  return sealedElsewhere(why)
}

export const keyFiles = /^key(-[0-9a-f]+)?\.pem$/

export const renameIfThere = (from: string, to: string): Promise<boolean> =>
  rename(from, to).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )

const sealedElsewhere = (why: string) => new MarshlightError('KEY_SEALED_ELSEWHERE', { why })

/** What became of an identity whose key does not open. */
export const lostKey = async (stateDir: string): Promise<MarshlightError | undefined> =>
  (await readIfThere(`${identityPath(stateDir)}${asideEnd}`)) === undefined
    ? undefined
    : sealedElsewhere('it was sealed by another TPM, or by one that was cleared, is switched off, or fails')

const defaultEnrolPort = 8884
/** Where the controller gives certificates, and says how they stand. */
export const enrolAddress = ({ enrol, mqtt }: StoredIdentity) => enrol ?? { host: mqtt.host, port: defaultEnrolPort }

/** The serial number of a certificate, hexadecimal, lower case. */
export const serialOf = (certificate: string): string => new X509Certificate(certificate).serialNumber.toLowerCase()

/** Whether `certificate` is one of the fleet's CA, for this agent and this key. */
export function isOwnCertificate(certificate: string, own: { agent: string; ca: string; key: string }): boolean {
  const read = new X509Certificate(certificate)
  return (
    read.verify(new X509Certificate(own.ca).publicKey) &&
    read.subject === `CN=${own.agent}` &&
    read.checkPrivateKey(createPrivateKey(own.key))
  )
}

/** One file, so that there is a whole identity or none. The key stands beside it since before the request was made. */
export const saveIdentity = (stateDir: string, identity: StoredIdentity): Promise<void> =>
  writeFileAtomic(identityPath(stateDir), `${JSON.stringify(stored.parse(identity), null, 2)}\n`, 0o600)

/** What is wrong, or will be within a month, with the agent's certificate at `now`. */
export function certificateTrouble(identity: StoredIdentity, now: number): MarshlightError | undefined {
  const certificate = new X509Certificate(identity.certificate)
  const ends = Date.parse(certificate.validTo)
  const at = new Date(ends).toISOString()
  if (ends <= now) return new MarshlightError('CERTIFICATE_REFUSED', { why: `it expired at ${at}` })
  if (Date.parse(certificate.validFrom) > now)
    return new MarshlightError('CERTIFICATE_REFUSED', { why: 'it is not valid yet by the clock of this machine' })
  if (ends - now < warnBeforeMs) return new MarshlightError('CERTIFICATE_EXPIRING', { at })
  return undefined
}

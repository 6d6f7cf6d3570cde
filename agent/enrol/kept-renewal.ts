import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { MarshlightError } from '../../shared/errors.ts'
import { readIfThere, syncFolder, writeFileAtomic } from '../../shared/files.ts'
import { newKey, requestFor } from './certificate-request.ts'
import { type Identity, isOwnCertificate, keyPath, saveIdentity, serialOf } from './identity.ts'
import { isSealed, keyIn, keyText, type OnUnsealed } from './sealed-key.ts'

/**
 * A renewal that is under way, in one file, so that power may go at any point:
 *
 *   key, request -> (asked) -> certificate -> used once -> key file, then identity.json -> this file removed
 *
 * The identity stays as it was until the new certificate was taken.
 */
const kept = z.object({ v: z.literal(1), key: z.string(), csr: z.string(), certificate: z.string().optional() })
export type KeptRenewal = z.infer<typeof kept>

const pathIn = (stateDir: string) => join(stateDir, 'identity', 'renewal.json')

async function save(stateDir: string, renewal: KeptRenewal, onUnsealed?: OnUnsealed): Promise<void> {
  const held = { ...renewal, key: await keyText(renewal.key, onUnsealed) }
  await writeFileAtomic(pathIn(stateDir), `${JSON.stringify(held, null, 2)}\n`, 0o600)
}

/** The renewal that is under way for `identity`; one that cannot be used, or is over, is removed. */
export async function loadRenewal(stateDir: string, identity: Identity): Promise<KeptRenewal | undefined> {
  const text = await readIfThere(pathIn(stateDir))
  if (text === undefined) return undefined
  const renewal = await readRenewal(text, identity)
  if (renewal && renewal.certificate !== identity.certificate) return renewal
  await dropRenewal(stateDir, identity)
  return undefined
}

async function readRenewal(text: string, identity: Identity): Promise<KeptRenewal | undefined> {
  try {
    const { certificate, ...held } = kept.parse(JSON.parse(text))
    const rest = { ...held, key: await keyIn(held.key) }
    const good = certificate !== undefined && isOwnCertificate(certificate, { ...identity, key: rest.key })
    return good ? { ...rest, certificate } : rest
  } catch (error) {
    // A TPM that does not answer now may later: what it sealed stays.
    if (error instanceof MarshlightError && error.code === 'TPM_FAILED') throw error
    return undefined
  }
}

/** A new key and its request, on disk before anybody is asked: a lost answer is asked for again by the same key. */
export async function beginRenewal(stateDir: string, onUnsealed?: OnUnsealed): Promise<KeptRenewal> {
  const key = newKey()
  const renewal: KeptRenewal = { v: 1, key, csr: await requestFor(key) }
  await save(stateDir, renewal, onUnsealed)
  return renewal
}

export async function keepCertificate(
  stateDir: string,
  asked: KeptRenewal,
  certificate: string,
  onUnsealed?: OnUnsealed,
): Promise<KeptRenewal> {
  const renewal = { ...asked, certificate }
  await save(stateDir, renewal, onUnsealed)
  return renewal
}

/** The identity with the renewed pair, now on disk as the one there is. */
export async function putInForce(stateDir: string, renewed: Identity, onUnsealed?: OnUnsealed): Promise<Identity> {
  const keyFile = `key-${serialOf(renewed.certificate)}.pem`
  const text = await keyText(renewed.key, onUnsealed)
  await writeFileAtomic(keyPath(stateDir, keyFile), text, 0o600)
  const identity = { ...renewed, keyFile, sealed: isSealed(text) }
  await saveIdentity(stateDir, identity)
  await dropRenewal(stateDir, identity)
  return identity
}

/** Removes the renewal, and the keys that `identity` does not need. */
export async function dropRenewal(stateDir: string, identity: Pick<Identity, 'keyFile'>): Promise<void> {
  await rm(pathIn(stateDir), { force: true })
  const folder = join(stateDir, 'identity')
  const held = identity.keyFile ?? 'key.pem'
  for (const name of await readdir(folder)) {
    const ofAnother = /^key(-[0-9a-f]+)?\.pem$/.test(name) && name !== held
    // The first request goes with the first key.
    if (ofAnother || (name === 'request.pem' && held !== 'key.pem')) await rm(join(folder, name), { force: true })
  }
  await syncFolder(folder)
}

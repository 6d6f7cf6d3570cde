import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { MarshlightError } from '../../shared/errors.ts'
import { readIfThere, syncFolder, writeFileAtomic } from '../../shared/files.ts'
import { identityPath, keyPath, requestPath } from './identity.ts'
import { keyIn, keyText, type OnUnsealed } from './sealed-key.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/**
 * The agent's certificate request, by an EC P-256 key that never leaves this machine. Key and request are kept: when an
 * enrolment breaks off after the controller used the token, the same request gets the same answer.
 */
export async function certificateRequest(stateDir: string, onUnsealed?: OnUnsealed): Promise<string> {
  const key = await keptKey(stateDir, onUnsealed)
  const held = await readIfThere(requestPath(stateDir))
  if (key.kept && held?.includes(begins)) return requestIn(held)
  const pem = await requestFor(key.pem)
  await writeFileAtomic(requestPath(stateDir), pem, 0o600)
  return pem
}

const begins = '-----BEGIN CERTIFICATE REQUEST'
const requestIn = (text: string): string => text.slice(text.indexOf(begins))
/** Above the request stand the claims that it was shown with and that may have been let in by it, as hashes. */
const claimsIn = (text: string): string[] => text.slice(0, text.indexOf(begins)).split(/\s+/).filter(Boolean)
const writeRequest = (stateDir: string, claims: readonly string[], text: string): Promise<void> =>
  writeFileAtomic(requestPath(stateDir), [...claims, requestIn(text)].join('\n'), 0o600)
const hashOf = (shown: object): string => createHash('sha256').update(JSON.stringify(shown)).digest('hex')

/** Kept before `shown` goes with the request. Gives whether it never did before. */
export async function keepShown(stateDir: string, shown: object): Promise<boolean> {
  const text = (await readIfThere(requestPath(stateDir))) ?? ''
  const claims = claimsIn(text)
  if (claims.includes(hashOf(shown))) return false
  await writeRequest(stateDir, [...claims, hashOf(shown)], text)
  return true
}

/**
 * `shown` was turned down for good. Key and request go once no other claim may have been let in by them, its answer
 * lost: by them an identity that was set aside would never be moved back. The request first: without it no claim is known.
 */
export async function dropShown(stateDir: string, shown: object): Promise<void> {
  const text = await readIfThere(requestPath(stateDir))
  if (text === undefined || (await readIfThere(identityPath(stateDir))) !== undefined) return
  const others = claimsIn(text).filter((one) => one !== hashOf(shown))
  if (others.length > 0) return writeRequest(stateDir, others, text)
  await rm(requestPath(stateDir), { force: true })
  await rm(keyPath(stateDir), { force: true })
  await syncFolder(dirname(keyPath(stateDir)))
}

/** A certificate request by the key in `keyPem`. */
export async function requestFor(keyPem: string): Promise<string> {
  // Heavy, and needed a few times in an appliance's life.
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const jwk = createPrivateKey(keyPem).export({ format: 'jwk' })
  const { d: _private, ...open } = jwk
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=agent',
    keys: {
      privateKey: await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign']),
      publicKey: await crypto.subtle.importKey('jwk', open, algorithm, true, ['verify']),
    },
    signingAlgorithm: algorithm,
  })
  return `${request.toString('pem')}\n`
}

export const newKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

async function keptKey(stateDir: string, onUnsealed?: OnUnsealed): Promise<{ pem: string; kept: boolean }> {
  const held = await heldKey(stateDir)
  if (held !== undefined && isKey(held)) return { pem: held, kept: true }
  const pem = newKey()
  await writeFileAtomic(keyPath(stateDir), await keyText(pem, onUnsealed), 0o600)
  return { pem, kept: false }
}

/** The key of the first request; undefined where there is none, or none that opens any more. */
export async function heldKey(stateDir: string): Promise<string | undefined> {
  const text = await readIfThere(keyPath(stateDir))
  try {
    return text === undefined ? undefined : await keyIn(text)
  } catch (error) {
    if (error instanceof MarshlightError && error.code === 'KEY_SEALED_ELSEWHERE') return undefined
    throw error
  }
}

function isKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'ec'
  } catch {
    return false
  }
}

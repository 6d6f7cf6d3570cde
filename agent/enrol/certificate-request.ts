import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { MarshlightError } from '../../shared/errors.ts'
import { readIfThere, writeFileAtomic } from '../../shared/files.ts'
import { keyPath, requestPath } from './identity.ts'
import { keyIn, keyText, type OnUnsealed } from './sealed-key.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/**
 * The agent's certificate request, by an EC P-256 key that never leaves this machine. Key and request are kept: when an
 * enrolment breaks off after the controller used the token, the same request gets the same answer.
 */
export async function certificateRequest(stateDir: string, onUnsealed?: OnUnsealed): Promise<string> {
  const key = await keptKey(stateDir, onUnsealed)
  const held = await readIfThere(requestPath(stateDir))
  if (key.kept && held?.includes('CERTIFICATE REQUEST')) return held
  const pem = await requestFor(key.pem)
  await writeFileAtomic(requestPath(stateDir), pem, 0o600)
  return pem
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

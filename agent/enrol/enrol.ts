import 'reflect-metadata'
import { createPrivateKey, createPublicKey, generateKeyPairSync, webcrypto } from 'node:crypto'
import { request } from 'node:https'
import { hostname } from 'node:os'
import { type ErrorCode, errorTexts, MarshlightError, wordsOf } from '../../shared/errors.ts'
import { readIfThere, writeFileAtomic } from '../../shared/files.ts'
import {
  enrolAnswer,
  type Identity,
  identityFile,
  identityIfThere,
  keyFile,
  loadIdentity,
  saveIdentity,
} from './identity.ts'
import { fetchPinnedCa } from './pinned-ca.ts'
import { readAddress, readToken } from './token.ts'

export type EnrolOptions = {
  stateDir: string
  controller?: string
  token: string
  version: string
  roles?: readonly string[]
  now: number
}

const timeoutMs = 20_000

/**
 * Makes this machine an agent of the controller that gave `token`. Throws ALREADY_ENROLLED, TOKEN_*, CA_MISMATCH,
 * CONTROLLER_UNREACHABLE, USAGE. May be run again after a failure at any point: the key stays the same.
 */
export async function enrol(o: EnrolOptions): Promise<Identity> {
  const held = await identityIfThere(o.stateDir)
  if (held) throw new MarshlightError('ALREADY_ENROLLED', { agent: held.name, path: identityFile(o.stateDir) })
  const token = readToken(o.token, o.now)
  const { host, port } = readAddress(o.controller ?? token.controller ?? '')
  const ca = await fetchPinnedCa(host, port, token.ca)
  const key = await ownKey(o.stateDir)
  const csr = await requestFor(o.stateDir, key)
  const body = {
    token: { id: token.id, secret: token.secret },
    csr,
    hostname: hostname(),
    version: o.version,
    ...(o.roles && { roles: o.roles }),
  }
  const answer = enrolAnswer.parse(await post(host, port, ca, body))
  await saveIdentity(o.stateDir, answer)
  return loadIdentity(o.stateDir)
}

/** The agent's private key (EC P-256, PEM), made at the first try and kept. */
async function ownKey(stateDir: string): Promise<string> {
  const path = keyFile(stateDir)
  const there = await readIfThere(path)
  if (there !== undefined) return there
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  await writeFileAtomic(path, pem)
  return pem
}

/** The certificate request, kept beside the key: a repeated claim is known by it (ECDSA signatures differ each time). */
async function requestFor(stateDir: string, keyPem: string): Promise<string> {
  const path = `${keyFile(stateDir)}.csr`
  const there = await readIfThere(path)
  if (there !== undefined) return there
  const x509 = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const key = createPrivateKey(keyPem)
  const der = { format: 'der' } as const
  const privateKey = await webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', ...der }), algorithm, true, [
    'sign',
  ])
  const publicKey = await webcrypto.subtle.importKey(
    'spki',
    createPublicKey(key).export({ type: 'spki', ...der }),
    algorithm,
    true,
    ['verify'],
  )
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=agent',
    keys: { privateKey, publicKey },
    signingAlgorithm: algorithm,
  })
  const pem = csr.toString('pem')
  await writeFileAtomic(path, pem)
  return pem
}

function post(host: string, port: number, ca: string, body: unknown): Promise<unknown> {
  const address = `${host}:${port}`
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const unreachable = (why: string) => reject(new MarshlightError('CONTROLLER_UNREACHABLE', { address, why }))
  const sent = request(
    {
      host,
      port,
      path: '/v1/enrol',
      method: 'POST',
      ca,
      minVersion: 'TLSv1.3',
      timeout: timeoutMs,
      headers: { 'content-type': 'application/json' },
    },
    async (response) => {
      try {
        const chunks: Buffer[] = []
        for await (const chunk of response) chunks.push(chunk as Buffer)
        const answer: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
        if (response.statusCode === 200) resolve(answer)
        else reject(refusal(answer))
      } catch (error) {
        unreachable(wordsOf(error))
      }
    },
  )
  sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)))
  sent.on('error', (error) => unreachable(wordsOf(error)))
  sent.end(JSON.stringify(body))
  return promise
}

/** The controller's own words, with its code where it is one of ours. */
function refusal(answer: unknown): Error {
  const { code = '', message = 'the controller refused' } =
    (answer as { error?: { code?: string; message?: string } }).error ?? {}
  if (!Object.hasOwn(errorTexts, code)) return new Error(message)
  const error = new MarshlightError(code as ErrorCode)
  error.message = message
  return error
}

import 'reflect-metadata'
import { createPrivateKey, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** A certificate request, PEM, signed by the EC key in `keyPem`. */
export async function certificateRequest(keyPem: string): Promise<string> {
  const jwk = createPrivateKey(keyPem).export({ format: 'jwk' }) as webcrypto.JsonWebKey
  const { d: _secret, ...open } = jwk
  const privateKey = await webcrypto.subtle.importKey('jwk', jwk, algorithm, true, ['sign'])
  const publicKey = await webcrypto.subtle.importKey('jwk', open, algorithm, true, ['verify'])
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=new',
    keys: { privateKey, publicKey },
    signingAlgorithm: algorithm,
  })
  return request.toString('pem')
}

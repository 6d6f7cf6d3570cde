import 'reflect-metadata'
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import * as x509 from '@peculiar/x509'

/** A fleet's keys as a controller makes them: CA, server pair, agents' pairs, document key, revocation list. */
export type TestPki = Awaited<ReturnType<typeof makeTestPki>>

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const dayMs = 86_400_000

export async function makeTestPki() {
  const caKeys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const valid = (days: number, from = -1) => ({
    notBefore: new Date(Date.now() + from * dayMs),
    notAfter: new Date(Date.now() + days * dayMs),
  })
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Test CA',
    serialNumber: '01',
    ...valid(10),
    keys: caKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  })
  let serial = 0x4000
  const sign = (subject: string, publicKey: x509.PublicKeyType, usage: string, days = 10, from = -1) =>
    x509.X509CertificateGenerator.create({
      serialNumber: (serial++).toString(16),
      subject,
      issuer: ca.subjectName,
      ...valid(days, from),
      publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [new x509.ExtendedKeyUsageExtension([usage])],
    })
  const pair = async (subject: string, usage: string, days?: number, from?: number) => {
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
    const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`
    const certificate = await sign(subject, keys.publicKey, usage, days, from)
    return { key, certificate: `${certificate.toString('pem')}\n`, serial: certificate.serialNumber }
  }
  const document = generateKeyPairSync('ed25519')
  return {
    ca: `${ca.toString('pem')}\n`,
    fingerprint: createHash('sha256').update(new Uint8Array(ca.rawData)).digest('hex'),
    server: await pair('CN=controller', x509.ExtendedKeyUsage.serverAuth),
    /** Good from and until so many days from now. */
    serverPair: (from: number, until: number) => pair('CN=controller', x509.ExtendedKeyUsage.serverAuth, until, from),
    agentPair: (agent: string, days?: number) => pair(`CN=${agent}`, x509.ExtendedKeyUsage.clientAuth, days),
    signRequest: async (csr: string, agent: string) => {
      const request = new x509.Pkcs10CertificateRequest(csr)
      if (!(await request.verify())) throw new Error('the request is not signed by its key')
      return `${(await sign(`CN=${agent}`, request.publicKey, x509.ExtendedKeyUsage.clientAuth)).toString('pem')}\n`
    },
    revocationList: async (serials: string[]) => {
      const list = await x509.X509CrlGenerator.create({
        issuer: ca.subject,
        thisUpdate: new Date(Date.now() - dayMs),
        nextUpdate: new Date(Date.now() + dayMs),
        entries: serials.map((serialNumber) => ({ serialNumber, revocationDate: new Date(Date.now() - 1000) })),
        signingAlgorithm: algorithm,
        signingKey: caKeys.privateKey,
      })
      return list.toString('pem').replaceAll('BEGIN CRL', 'BEGIN X509 CRL').replaceAll('END CRL', 'END X509 CRL')
    },
    signingKey: document.privateKey as KeyObject,
    signingPem: document.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

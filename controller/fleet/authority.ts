import 'reflect-metadata'
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  webcrypto,
} from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import * as x509 from '@peculiar/x509'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { writeFileAtomic } from '../../shared/files.ts'
import { unreadable } from '../../shared/system-errors.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const day = 86_400_000
const lifeDays = { ca: 3650, server: 825, agent: 365, revocationList: 3650 }

export type Revoked = { serial: string; at: string }

/** Certificates and signatures of one controller. PEM in and out; fingerprints are SHA-256 of the DER, hex. */
export type Authority = {
  caPem: string
  caFingerprint: string
  serverCert: string
  serverKey: string
  signingKey: KeyObject
  signingPublicPem: string
  /** A client certificate with CN = `agent` for the key of `csr`. Throws TOKEN_INVALID when the request's own signature is wrong. */
  signAgent(agent: string, csr: string, now: number): Promise<{ certificate: string; serial: string; expires: string }>
  revocationList(revoked: readonly Revoked[], now: number): Promise<string>
}

const files = (dataDir: string) => ({
  caKey: join(dataDir, 'ca/ca-key.pem'),
  ca: join(dataDir, 'ca/ca.pem'),
  serverKey: join(dataDir, 'ca/server-key.pem'),
  server: join(dataDir, 'ca/server.pem'),
  signing: join(dataDir, 'ca/signing-key.pem'),
})

/** Makes the keys and certificates of a new controller in `dataDir`/ca, readable by their owner alone. */
export async function makeAuthority(dataDir: string, publicHost: string, now: number): Promise<void> {
  const at = files(dataDir)
  const caKeys = await newKeys()
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Marshlight CA',
    serialNumber: newSerial(),
    notBefore: new Date(now - day),
    notAfter: new Date(now + lifeDays.ca * day),
    keys: caKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  })
  const serverKeys = await newKeys()
  const names = [...new Set([publicHost, 'localhost', '127.0.0.1'])]
  const server = await x509.X509CertificateGenerator.create({
    subject: 'CN=marshlight-controller',
    issuer: ca.subject,
    serialNumber: newSerial(),
    notBefore: new Date(now - day),
    notAfter: new Date(now + lifeDays.server * day),
    publicKey: serverKeys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  })
  await writeFileAtomic(at.caKey, await privatePem(caKeys))
  await writeFileAtomic(at.ca, ca.toString('pem'), 0o644)
  await writeFileAtomic(at.serverKey, await privatePem(serverKeys))
  await writeFileAtomic(at.server, server.toString('pem'), 0o644)
  const signing = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  await writeFileAtomic(at.signing, signing)
}

/** The authority of `dataDir`. Throws CONFIG_MISSING where `init` did not run. */
export async function openAuthority(dataDir: string): Promise<Authority> {
  const at = files(dataDir)
  const read = (file: string) =>
    readFile(file, 'utf8').catch((error) => {
      throw unreadable(error, file, 'marshlight init')
    })
  const [caKeyPem, caPem, serverKey, serverCert, signingPem] = (await Promise.all(
    [at.caKey, at.ca, at.serverKey, at.server, at.signing].map(read),
  )) as [string, string, string, string, string]
  const ca = await usable(at.ca, () => new x509.X509Certificate(caPem))
  const caKey = await usable(at.caKey, () =>
    webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(caKeyPem), algorithm, true, ['sign']),
  )
  const signingKey = await usable(at.signing, () => createPrivateKey(signingPem))
  await usable(at.serverKey, () => createPrivateKey(serverKey))
  await usable(at.server, () => new x509.X509Certificate(serverCert))
  return {
    caPem,
    caFingerprint: createHash('sha256').update(Buffer.from(ca.rawData)).digest('hex'),
    serverCert: `${serverCert.trim()}\n${caPem.trim()}\n`,
    serverKey,
    signingKey,
    signingPublicPem: publicPemOf(signingKey),
    async signAgent(agent, csr, now) {
      const request = parseCsr(csr)
      if (!(await request.verify().catch(() => false)))
        throw new MarshlightError('TOKEN_INVALID', { why: 'the certificate request is not signed by its own key' })
      const certificate = await x509.X509CertificateGenerator.create({
        subject: `CN=${agent}`,
        issuer: ca.subject,
        serialNumber: newSerial(),
        notBefore: new Date(now - day),
        notAfter: new Date(now + lifeDays.agent * day),
        publicKey: request.publicKey,
        signingKey: caKey,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
          await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
        ],
      })
      return {
        certificate: certificate.toString('pem'),
        serial: certificate.serialNumber,
        expires: certificate.notAfter.toISOString(),
      }
    },
    async revocationList(revoked, now) {
      const list = await x509.X509CrlGenerator.create({
        issuer: ca.subject,
        thisUpdate: new Date(now - day),
        nextUpdate: new Date(now + lifeDays.revocationList * day),
        signingKey: caKey,
        signingAlgorithm: algorithm,
        entries: revoked.map(({ serial, at }) => ({ serialNumber: serial, revocationDate: new Date(at) })),
      })
      const base64 = Buffer.from(list.rawData)
        .toString('base64')
        .replace(/.{1,64}/g, '$&\n')
      // Node reads a revocation list only under this label.
      return `-----BEGIN X509 CRL-----\n${base64}-----END X509 CRL-----\n`
    },
  }
}

async function usable<T>(path: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw new MarshlightError('KEY_DAMAGED', { path, why: wordsOf(error) }, { cause: error })
  }
}

const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])

/** 16 random bytes, positive and without a leading zero (RFC 5280, 4.1.2.2). */
function newSerial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16))
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40
  return Buffer.from(bytes).toString('hex')
}

async function privatePem(keys: { privateKey: webcrypto.CryptoKey }): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
}

const publicPemOf = (key: KeyObject): string => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()

function parseCsr(pem: string): x509.Pkcs10CertificateRequest {
  try {
    return new x509.Pkcs10CertificateRequest(pem)
  } catch {
    throw new MarshlightError('TOKEN_INVALID', { why: 'the certificate request cannot be read' })
  }
}

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { createReadStream } from 'node:fs'

/**
 * Signatures that `minisign` reads (jedisct1.github.io/minisign, "Minisign signatures"), prehashed:
 *
 *   untrusted comment: words
 *   base64("ED" | key id, 8 bytes | Ed25519 over BLAKE2b-512 of the file)
 *   trusted comment: words
 *   base64(Ed25519 over the signature's 64 bytes | the trusted words)
 *
 * A public key is "Ed" | key id | 32 bytes. Private keys are PKCS#8 PEM: minisign's own files hold a BLAKE2b-256, which
 * node:crypto cannot make.
 */
const untrusted = 'untrusted comment: '
const trusted = 'trusted comment: '
/** Public key of Ed25519 as SPKI: what comes before its 32 bytes (RFC 8410). */
const spkiHead = Buffer.from('302a300506032b6570032100', 'hex')
const idBytes = 8

export type PublicKey = { id: string; key: KeyObject }
export type Signature = { id: string; file: Buffer; comment: string; global: Buffer }

export function makeKeys(): { privatePem: string; publicText: string; id: string } {
  const { privateKey } = generateKeyPairSync('ed25519')
  const privatePem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { privatePem, ...publicTextOf(privateKey) }
}

/** The key's id is the beginning of its own hash: the same key bears the same id wherever it is used. */
export function publicTextOf(privateKey: KeyObject): { publicText: string; id: string } {
  const raw = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).subarray(spkiHead.length)
  const idRaw = createHash('sha256').update(raw).digest().subarray(0, idBytes)
  const id = idText(idRaw)
  const body = Buffer.concat([Buffer.from('Ed'), idRaw, raw]).toString('base64')
  return { publicText: `${untrusted}minisign public key ${id}\n${body}\n`, id }
}

/** The text of the signature of a file. `comment` is signed with it. */
export const signFile = async (path: string, privatePem: string, comment: string): Promise<string> =>
  signHash(await hashOf(path), privatePem, comment)

/** The same, of a text. */
export const signText = (text: string, privatePem: string, comment: string): string =>
  signHash(hashOfText(text), privatePem, comment)

function signHash(hash: Buffer, privatePem: string, comment: string): string {
  const key = createPrivateKey(privatePem)
  const { publicText, id } = publicTextOf(key)
  const idRaw = Buffer.from(publicText.split('\n')[1] ?? '', 'base64').subarray(2, 2 + idBytes)
  const own = sign(null, hash, key)
  const global = sign(null, Buffer.concat([own, Buffer.from(comment)]), key)
  const body = Buffer.concat([Buffer.from('ED'), idRaw, own]).toString('base64')
  return `${untrusted}signature by key ${id}\n${body}\n${trusted}${comment}\n${global.toString('base64')}\n`
}

export type Verdict = { ok: true; comment: string; id: string } | { ok: false; why: string }

/** Whether the file is what the owner of `publicKey` signed; why not, in words. */
export const verifyFile = async (path: string, signature: Signature, publicKey: PublicKey): Promise<Verdict> =>
  verifyHash(await hashOf(path), signature, publicKey)

/** The same, of a text. */
export const verifyText = (text: string, signature: Signature, publicKey: PublicKey): Verdict =>
  verifyHash(hashOfText(text), signature, publicKey)

function verifyHash(hash: Buffer, signature: Signature, publicKey: PublicKey): Verdict {
  if (signature.id !== publicKey.id)
    return { ok: false, why: `it is signed by key ${signature.id}, not by ${publicKey.id}` }
  const told = Buffer.concat([signature.file, Buffer.from(signature.comment)])
  if (!verify(null, told, publicKey.key, signature.global))
    return { ok: false, why: 'its signature was altered, or is of another key' }
  if (!verify(null, hash, publicKey.key, signature.file))
    return { ok: false, why: 'its content is not what was signed' }
  return { ok: true, comment: signature.comment, id: signature.id }
}

/** A public key as minisign writes it: the file, or its second line alone. Undefined where it is none. */
export function parsePublicKey(text: string): PublicKey | undefined {
  const lines = text.trim().split('\n')
  const raw = base64((lines[0]?.startsWith(untrusted) ? lines[1] : lines[0]) ?? '', 2 + idBytes + 32)
  if (raw?.toString('latin1', 0, 2) !== 'Ed') return undefined
  const spki = Buffer.concat([spkiHead, raw.subarray(2 + idBytes)])
  return {
    id: idText(raw.subarray(2, 2 + idBytes)),
    key: createPublicKey({ key: spki, format: 'der', type: 'spki' }),
  }
}

/** Undefined where the text is no prehashed signature of minisign. */
export function parseSignature(text: string): Signature | undefined {
  const [head = '', body = '', words = '', end = ''] = text.split('\n').map((line) => line.replace(/\r$/, ''))
  const raw = base64(body, 2 + idBytes + 64)
  const global = base64(end, 64)
  if (!head.startsWith(untrusted) || !words.startsWith(trusted) || !raw || !global) return undefined
  if (raw.toString('latin1', 0, 2) !== 'ED') return undefined
  return {
    id: idText(raw.subarray(2, 2 + idBytes)),
    file: raw.subarray(2 + idBytes),
    comment: words.slice(trusted.length),
    global,
  }
}

const hashOfText = (text: string): Buffer => createHash('blake2b512').update(text).digest()

async function hashOf(path: string): Promise<Buffer> {
  const hash = createHash('blake2b512')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest()
}

/** minisign shows a key's id as a number of 64 bits, whose least byte stands first in files. */
const idText = (raw: Buffer): string => Buffer.from(raw).reverse().toString('hex').toUpperCase()

function base64(text: string, bytes: number): Buffer | undefined {
  const raw = Buffer.from(text, 'base64')
  return raw.length === bytes && raw.toString('base64') === text ? raw : undefined
}

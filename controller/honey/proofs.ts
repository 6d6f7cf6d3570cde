import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import type { LoginProof } from '../../shared/schemas/login-proof.ts'
import { des, md4, spread } from './old-ciphers.ts'

/** Whether a password makes the answer of a log-in. Pure; asked once for each candidate. */
export type Makes = (password: string) => boolean

type Of<S extends LoginProof['scheme']> = Extract<LoginProof, { scheme: S }>

/** `username`: as it was tried; it is part of most answers. */
export function makesAnswer(proof: LoginProof, username: string): Makes {
  switch (proof.scheme) {
    case 'ntlm':
      return ntlm(proof, username)
    case 'digest':
      return digest(proof, username)
    case 'mysql-native':
      return mysql(proof, 'sha1')
    case 'mysql-sha2':
      return mysql(proof, 'sha256')
    case 'postgres-md5':
      return (password) => proof.response === `md5${md5(md5(password, username), Buffer.from(proof.salt, 'hex'))}`
    case 'scram-sha-256':
      return scram(proof)
    case 'vnc':
      return vnc(proof)
  }
}

const md5 = (...parts: (string | Buffer)[]): string => {
  const hash = createHash('md5')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}
const hmac = (kind: string, key: Buffer, ...parts: (string | Buffer)[]): Buffer => {
  const made = createHmac(kind, key)
  for (const part of parts) made.update(part)
  return made.digest()
}
const bytes = (hex: string) => Buffer.from(hex, 'hex')
const wide = (text: string) => Buffer.from(text, 'utf16le')

/** MS-NLMP, 3.3.1 and 3.3.2. An answer of version 1 has 24 bytes; a longer one is a digest and what the client added. */
function ntlm(proof: Of<'ntlm'>, username: string): Makes {
  const [challenge, response] = [bytes(proof.salt), bytes(proof.response)]
  if (response.length > 24) {
    const [shown, added] = [response.subarray(0, 16), response.subarray(16)]
    const name = wide(username.toUpperCase() + (proof.domain ?? ''))
    return (password) => hmac('md5', hmac('md5', md4(wide(password)), name), challenge, added).equals(shown)
  }
  if (response.length < 24) return () => false
  const client = bytes(proof.lmResponse ?? '')
  // With extended session security, the client's own eight bytes stand where the older answer was, and zeros after them.
  const extended = client.length === 24 && client.subarray(8).every((byte) => byte === 0)
  const asked = extended ? bytes(md5(challenge, client.subarray(0, 8))).subarray(0, 8) : challenge
  return (password) => {
    const keys = Buffer.concat([md4(wide(password)), Buffer.alloc(5)])
    return [0, 7, 14].every((at, third) =>
      des(spread(keys.subarray(at, at + 7)), asked).equals(response.subarray(8 * third, 8 * third + 8)),
    )
  }
}

/** RFC 7616, 3.4.1, and RFC 2617 where there is no `qop`. */
function digest(proof: Of<'digest'>, username: string): Makes {
  const { realm, nonce, uri, method, response, qop, nc = '', cnonce = '' } = proof
  const kind = (proof.algorithm ?? 'MD5').toUpperCase()
  const name = kind.startsWith('SHA-256') ? 'sha256' : 'md5'
  const hash = (text: string) => createHash(name).update(text).digest('hex')
  const asked = hash(`${method}:${uri}`)
  return (password) => {
    const plain = hash(`${username}:${realm}:${password}`)
    const own = kind.endsWith('-SESS') ? hash(`${plain}:${nonce}:${cnonce}`) : plain
    return response === hash(qop ? `${own}:${nonce}:${nc}:${cnonce}:${qop}:${asked}` : `${own}:${nonce}:${asked}`)
  }
}

/** Both hide the password's digest under one of its second digest and the salt; which comes first differs. */
function mysql(proof: Of<'mysql-native' | 'mysql-sha2'>, kind: 'sha1' | 'sha256'): Makes {
  const [salt, response] = [bytes(proof.salt), bytes(proof.response)]
  const hash = (...parts: Buffer[]) => createHash(kind).update(Buffer.concat(parts)).digest()
  return (password) => {
    const once = hash(Buffer.from(password))
    const twice = hash(once)
    const mask = kind === 'sha1' ? hash(salt, twice) : hash(twice, salt)
    return response.every((byte, at) => byte === ((once[at] ?? 0) ^ (mask[at] ?? 0)))
  }
}

/** RFC 5802, 3: the proof less the signature is the client's key, and its digest signs the exchange. */
function scram(proof: Of<'scram-sha-256'>): Makes {
  const [salt, response] = [bytes(proof.salt), Buffer.from(proof.response, 'base64')]
  return (password) => {
    const salted = pbkdf2Sync(password, salt, proof.iterations, 32, 'sha256')
    const key = hmac('sha256', salted, 'Client Key')
    const signature = hmac('sha256', createHash('sha256').update(key).digest(), proof.exchange)
    return response.every((byte, at) => byte === ((key[at] ?? 0) ^ (signature[at] ?? 0)))
  }
}

/** The bits of each letter of the key stand the other way round than FIPS 46-3 has them. */
function vnc(proof: Of<'vnc'>): Makes {
  const [challenge, response] = [bytes(proof.salt), bytes(proof.response)]
  return (password) => {
    const key = Buffer.alloc(8)
    Buffer.from(password, 'latin1').copy(key, 0, 0, 8)
    return des(Buffer.from(key.map(turned)), challenge).equals(response)
  }
}

const turned = (byte: number): number =>
  [0, 1, 2, 3, 4, 5, 6, 7].reduce((made, bit) => made | (((byte >> bit) & 1) << (7 - bit)), 0)

import { createHash, randomBytes } from 'node:crypto'

/** A UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, then randomness; sorts by time. */
export function newId(now: number = Date.now()): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(now, 0, 6)
  return uuid7(bytes)
}

/** The same id for the same text. Its time says nothing. */
export const idOf = (text: string): string => uuid7(createHash('sha256').update(text).digest().subarray(0, 16))

function uuid7(bytes: Buffer): string {
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

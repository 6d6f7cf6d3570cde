import { createCipheriv } from 'node:crypto'

/** MD4 (RFC 1320) and single DES (FIPS 46-3), which OpenSSL 3 no longer offers and old log-ins rest on. */

const shifts = [
  [3, 7, 11, 19],
  [3, 5, 9, 13],
  [3, 9, 11, 15],
] as const
const constants = [0, 0x5a827999, 0x6ed9eba1] as const
const order = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
  [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
] as const
const mix = [
  (x: number, y: number, z: number) => (x & y) | (~x & z),
  (x: number, y: number, z: number) => (x & y) | (x & z) | (y & z),
  (x: number, y: number, z: number) => x ^ y ^ z,
] as const

export function md4(data: Buffer): Buffer {
  const padded = Buffer.alloc(Math.ceil((data.length + 9) / 64) * 64)
  data.copy(padded)
  padded[data.length] = 0x80
  padded.writeBigUInt64LE(BigInt(data.length) * 8n, padded.length - 8)
  let state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as [number, number, number, number]
  for (let at = 0; at < padded.length; at += 64) {
    let [a, b, c, d] = state
    for (let round = 0; round < 3; round += 1)
      for (let step = 0; step < 16; step += 1) {
        const word = padded.readUInt32LE(at + 4 * (order[round]?.[step] ?? 0))
        const sum = (a + (mix[round]?.(b, c, d) ?? 0) + word + (constants[round] ?? 0)) | 0
        const by = shifts[round]?.[step % 4] ?? 0
        const turned = (sum << by) | (sum >>> (32 - by))
        ;[a, b, c, d] = [d, turned, b, c]
      }
    state = [(state[0] + a) | 0, (state[1] + b) | 0, (state[2] + c) | 0, (state[3] + d) | 0]
  }
  const digest = Buffer.alloc(16)
  state.forEach((word, index) => {
    digest.writeInt32LE(word | 0, 4 * index)
  })
  return digest
}

/** Single DES is triple DES with one key three times. */
export function des(key: Buffer, blocks: Buffer): Buffer {
  const cipher = createCipheriv('des-ede3', Buffer.concat([key, key, key]), null)
  cipher.setAutoPadding(false)
  return Buffer.concat([cipher.update(blocks), cipher.final()])
}

/** Seven bytes as a key of eight: the lowest bit of each is a parity that DES does not look at. */
export function spread(seven: Buffer): Buffer {
  const bits = BigInt(`0x${seven.toString('hex')}`)
  return Buffer.from(Array.from({ length: 8 }, (_, at) => Number((bits >> BigInt(49 - 7 * at)) & 0x7fn) << 1))
}

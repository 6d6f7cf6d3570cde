import { createHash } from 'node:crypto'

const keyInit = 20
const lists = 10

/**
 * HASSH: the MD5 of what an SSH side announces of itself (`client`: of what it sends, `server`: HASSHserver), out of its
 * first bytes after the identification line. Undefined where the message is not there whole.
 */
export function hassh(data: Buffer, side: 'client' | 'server'): string | undefined {
  let at = 0
  if (data.subarray(0, 4).toString('latin1') === 'SSH-') {
    const line = data.indexOf(10)
    if (line === -1) return undefined
    at = line + 1
  }
  // RFC 4253, 6 and 7.1: length, padding length, then the message with a cookie of 16 bytes and ten lists of names.
  if (data.length < at + 22 || data[at + 5] !== keyInit) return undefined
  const end = at + 4 + data.readUInt32BE(at)
  if (end > data.length) return undefined
  const names: string[] = []
  for (let from = at + 22; names.length < lists; ) {
    if (from + 4 > end) return undefined
    const size = data.readUInt32BE(from)
    if (from + 4 + size > end) return undefined
    names.push(data.subarray(from + 4, from + 4 + size).toString('latin1'))
    from += 4 + size
  }
  // Key exchange, cipher, MAC and compression of the direction in which this side sends.
  const [kex, , clientCipher, serverCipher, clientMac, serverMac, clientPacking, serverPacking] = names
  const own = side === 'client' ? [clientCipher, clientMac, clientPacking] : [serverCipher, serverMac, serverPacking]
  return createHash('md5')
    .update([kex, ...own].join(';'))
    .digest('hex')
}

import { createHash } from 'node:crypto'

/** A TLS ClientHello's fingerprints: JA3 and JA4, as their authors define them. */
export type HelloPrints = { ja3: string; ja4: string }

type Hello = {
  version: number
  ciphers: number[]
  extensions: number[]
  groups: number[]
  formats: number[]
  signatures: number[]
  versions: number[]
  alpn: string | undefined
  named: boolean
}

/** Values that clients put in to keep servers tolerant (RFC 8701); they say nothing of the client. */
const isGrease = (value: number): boolean => (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff)

/** The fingerprints of the ClientHello that begins a connection's data; undefined where there is none, or it is cut. */
export function helloPrints(data: Buffer): HelloPrints | undefined {
  const hello = readHello(data)
  return hello && { ja3: ja3Of(hello), ja4: ja4Of(hello) }
}

function ja3Of({ version, ciphers, extensions, groups, formats }: Hello): string {
  const lists = [ciphers, extensions, groups].map((list) => list.filter((one) => !isGrease(one)).join('-'))
  return createHash('md5')
    .update([version, ...lists, formats.join('-')].join())
    .digest('hex')
}

const versionNames: Record<number, string> = { 772: '13', 771: '12', 770: '11', 769: '10', 768: 's3' }

function ja4Of({ version, ciphers, extensions, signatures, versions, alpn, named }: Hello): string {
  const [suites, kinds] = [ciphers.filter((one) => !isGrease(one)), extensions.filter((one) => !isGrease(one))]
  const highest = Math.max(0, ...versions.filter((one) => !isGrease(one))) || version
  const two = (count: number) => String(Math.min(99, count)).padStart(2, '0')
  const ends = alpn === undefined ? '00' : endsOf(alpn)
  const head = `t${versionNames[highest] ?? '00'}${named ? 'd' : 'i'}${two(suites.length)}${two(kinds.length)}${ends}`
  const sortedKinds = hexOf(kinds.filter((one) => one !== 0 && one !== 16).sort((a, b) => a - b))
  const signed = signatures.filter((one) => !isGrease(one))
  const tail = signed.length > 0 ? `${sortedKinds}_${hexOf(signed)}` : sortedKinds
  return [head, shortHash(hexOf(suites.sort((a, b) => a - b))), shortHash(tail)].join('_')
}

/** First and last character of the first protocol; of what is no letter or digit, the ends of its hexadecimal form. */
function endsOf(protocol: string): string {
  const [first, last] = [protocol.at(0) ?? '0', protocol.at(-1) ?? '0']
  if (/^[A-Za-z0-9]{2}$/.test(first + last)) return first + last
  const hex = Buffer.from(protocol, 'latin1').toString('hex')
  return `${hex.at(0) ?? '0'}${hex.at(-1) ?? '0'}`
}

const hexOf = (values: readonly number[]): string => values.map((value) => value.toString(16).padStart(4, '0')).join()
const shortHash = (text: string): string =>
  text === '' ? '0'.repeat(12) : createHash('sha256').update(text).digest('hex').slice(0, 12)

function readHello(data: Buffer): Hello | undefined {
  // A record of type handshake, in it a message of type client_hello (RFC 8446, 4.1.2 and 5.1).
  if (data.length < 44 || data[0] !== 22 || data[5] !== 1) return undefined
  const end = Math.min(data.length, 9 + data.readUIntBE(6, 3))
  if (end < 9 + data.readUIntBE(6, 3)) return undefined
  try {
    const version = data.readUInt16BE(9)
    let at = 43
    at += 1 + (data[at] as number)
    const ciphers = wordsIn(data, at + 2, data.readUInt16BE(at))
    at += 2 + data.readUInt16BE(at)
    at += 1 + (data[at] as number)
    const hello: Hello = {
      version,
      ciphers,
      extensions: [],
      groups: [],
      formats: [],
      signatures: [],
      versions: [],
      alpn: undefined,
      named: false,
    }
    const last = at + 2 <= end ? Math.min(end, at + 2 + data.readUInt16BE(at)) : at
    for (at += 2; at + 4 <= last; ) {
      const [kind, size] = [data.readUInt16BE(at), data.readUInt16BE(at + 2)]
      readExtension(hello, kind, data.subarray(at + 4, at + 4 + size))
      at += 4 + size
    }
    return hello
  } catch (error) {
    // A length that points outside: an attacker's hello is whatever he likes.
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function readExtension(hello: Hello, kind: number, body: Buffer): void {
  hello.extensions.push(kind)
  if (kind === 0) hello.named = true
  if (kind === 10) hello.groups = wordsIn(body, 2, body.readUInt16BE(0))
  if (kind === 11) hello.formats = [...body.subarray(1, 1 + (body[0] ?? 0))]
  if (kind === 13) hello.signatures = wordsIn(body, 2, body.readUInt16BE(0))
  if (kind === 16 && body.length > 3) hello.alpn = body.subarray(3, 3 + (body[2] as number)).toString('latin1')
  if (kind === 43) hello.versions = wordsIn(body, 1, body[0] ?? 0)
}

const wordsIn = (data: Buffer, from: number, bytes: number): number[] =>
  Array.from({ length: Math.floor(bytes / 2) }, (_, i) => data.readUInt16BE(from + 2 * i))

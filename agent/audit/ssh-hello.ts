import { talk } from './tcp.ts'

/** The name-lists of a KEXINIT that say something of a server (RFC 4253, 7.1), in its own order. */
export type Offer = { kex: string[]; hostKeys: string[]; ciphers: string[]; macs: string[]; compression: string[] }

const kexInit = 20

/**
 * What a server says before anything is agreed: its identification line, and its first packet where that is a whole
 * KEXINIT. Pure.
 */
export function readHello(data: Buffer): { line: string; offer?: Offer } {
  const end = data.indexOf(10)
  const line = data.subarray(0, end === -1 ? data.length : end + 1).toString('latin1')
  const offer = end === -1 ? undefined : readOffer(data.subarray(end + 1))
  return { line, ...(offer && { offer }) }
}

/** RFC 4253, 6: length, padding length, payload; before keys are agreed nothing else. */
function readOffer(packet: Buffer): Offer | undefined {
  if (packet.length < 6 || packet[5] !== kexInit) return undefined
  const length = packet.readUInt32BE(0)
  if (packet.length < length + 4) return undefined
  const lists: string[][] = []
  let at = 6 + 16
  while (lists.length < 8) {
    if (at + 4 > packet.length) return undefined
    const size = packet.readUInt32BE(at)
    if (at + 4 + size > packet.length) return undefined
    const text = packet.subarray(at + 4, at + 4 + size).toString('latin1')
    lists.push(text === '' ? [] : text.split(','))
    at += 4 + size
  }
  const [kex = [], hostKeys = [], , ciphers = [], , macs = [], , compression = []] = lists
  return { kex, hostKeys, ciphers, macs, compression }
}

const usual = 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n'

/** What the server at this address says to a usual client. */
export async function hello(ip: string, port = 22) {
  const { data } = await talk(ip, port, { send: [usual], enough: (sofar) => readHello(sofar).offer !== undefined })
  return readHello(data)
}

/** Names in the key-exchange list that are flags and no methods; which there are depends on the patch level. */
export const isFlag = (name: string): boolean => /^(ext-info-[sc]|kex-strict-[sc]-)/.test(name)

/** What a server said to an odd client, after its own identification line, in one of five words. */
export type OddAnswer = 'key exchange' | 'closed' | 'nothing' | `text: ${string}` | 'no identification'

export async function oddAnswer(ip: string, bytes: Buffer, port = 22): Promise<OddAnswer> {
  const done = (data: Buffer) => readHello(data).offer !== undefined
  const { data, end } = await talk(ip, port, { send: [bytes], quietMs: 1500, enough: done })
  const { line, offer } = readHello(data)
  if (!line.startsWith('SSH-')) return 'no identification'
  const rest = data.subarray(Buffer.byteLength(line, 'latin1'))
  const isPacket = offer !== undefined || rest[5] === kexInit
  const text = isPacket ? '' : rest.toString('latin1').slice(0, 120)
  if (text !== '') return `text: ${JSON.stringify(text)}`
  if (end !== 'quiet' && !offer) return 'closed'
  return isPacket ? 'key exchange' : 'nothing'
}

/** Frames and captures made by hand, for what a recording does not show. */

type Tcp = { from: string; fromPort: number; to: string; toPort: number; flags?: number; seq?: number; data?: string }

const bytesOf = (ip: string) => Buffer.from(ip.split('.').map(Number))
export const syn = 2
export const synAck = 18
export const ack = 16
export const reset = 20

/** An Ethernet frame with a TCP segment; checksums are left out. */
export function tcpFrame({ from, fromPort, to, toPort, flags = ack | 8, seq = 0, data = '' }: Tcp): Buffer {
  const payload = Buffer.from(data, 'latin1')
  const frame = Buffer.alloc(54 + payload.length)
  frame.writeUInt16BE(0x0800, 12)
  frame[14] = 0x45
  frame.writeUInt16BE(40 + payload.length, 16)
  frame[23] = 6
  bytesOf(from).copy(frame, 26)
  bytesOf(to).copy(frame, 30)
  frame.writeUInt16BE(fromPort, 34)
  frame.writeUInt16BE(toPort, 36)
  frame.writeUInt32BE(seq, 38)
  frame[46] = 0x50
  frame[47] = flags
  frame.writeUInt16BE(64_240, 48)
  payload.copy(frame, 54)
  return frame
}

/** A UDP datagram the same way. */
export function udpFrame(from: string, fromPort: number, to: string, toPort: number, data: string): Buffer {
  const frame = tcpFrame({ from, fromPort, to, toPort, data: `${data}` })
  const cut = Buffer.concat([frame.subarray(0, 34), Buffer.alloc(8), Buffer.from(data, 'latin1')])
  cut[23] = 17
  cut.writeUInt16BE(28 + data.length, 16)
  cut.writeUInt16BE(fromPort, 34)
  cut.writeUInt16BE(toPort, 36)
  cut.writeUInt16BE(8 + data.length, 38)
  return cut
}

export const captureHead = (): Buffer => {
  const head = Buffer.alloc(24)
  head.writeUInt32LE(0xa1b2c3d4, 0)
  head.writeUInt16LE(2, 4)
  head.writeUInt16LE(4, 6)
  head.writeUInt32LE(65_535, 16)
  head.writeUInt32LE(1, 20)
  return head
}

/** A packet as it stands in a capture; `at` in milliseconds. */
export function capturePacket(at: number, frame: Buffer): Buffer {
  const head = Buffer.alloc(16)
  head.writeUInt32LE(Math.floor(at / 1000), 0)
  head.writeUInt32LE(Math.round((at % 1000) * 1000), 4)
  head.writeUInt32LE(frame.length, 8)
  head.writeUInt32LE(frame.length, 12)
  return Buffer.concat([head, frame])
}

/** A ClientHello of TLS 1.3 with GREASE, a name and two protocols. */
export function exampleHello(): Buffer {
  const word = (value: number) => Buffer.from([value >> 8, value & 255])
  const sized = (body: Buffer) => Buffer.concat([word(body.length), body])
  const ciphers = '0a0a 1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035'.split(' ')
  const signatures = '0403 0804 0401 0503 0805 0501 0806 0601'.split(' ')
  const words = (list: string[]) => Buffer.concat(list.map((one) => word(Number.parseInt(one, 16))))
  const bodies: Record<string, Buffer> = {
    '0000': sized(Buffer.concat([Buffer.from([0]), sized(Buffer.from('example.org'))])),
    '000a': sized(words(['1a1a', '001d'])),
    '000b': Buffer.from([1, 0]),
    '000d': sized(words(signatures)),
    '0010': sized(Buffer.from('\x02h2\x08http/1.1', 'latin1')),
    '002b': Buffer.concat([Buffer.from([6]), words(['2a2a', '0304', '0303'])]),
  }
  const order = '3a3a 001b 0000 0033 0010 4469 0017 002d 000d 0005 0023 0012 002b ff01 000b 000a 0015'.split(' ')
  const extensions = order.map((kind) =>
    Buffer.concat([word(Number.parseInt(kind, 16)), sized(bodies[kind] ?? Buffer.alloc(0))]),
  )
  const hello = Buffer.concat([
    word(0x303),
    Buffer.alloc(32, 1),
    Buffer.from([0]),
    sized(words(ciphers)),
    Buffer.from([1, 0]),
    sized(Buffer.concat(extensions)),
  ])
  const message = Buffer.concat([Buffer.from([1, 0, hello.length >> 8, hello.length & 255]), hello])
  return Buffer.concat([Buffer.from([22, 3, 1]), sized(message)])
}

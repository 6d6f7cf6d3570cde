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

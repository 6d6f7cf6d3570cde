/** What is looked at in an IPv4 packet. Addresses are numbers; `payload` is a view of the frame, cut as the capture is. */
export type Segment = {
  source: number
  target: number
  protocol: number
  sourcePort: number
  targetPort: number
  /** TCP only. */
  flags: number
  window: number
  sequence: number
  /** Bytes of payload on the wire, by the headers. */
  bytes: number
  payload: Buffer
}

export const tcp = 6
export const udp = 17
export const flag = { fin: 1, syn: 2, reset: 4, push: 8, ack: 16 } as const

const vlans: ReadonlySet<number> = new Set([0x8100, 0x88a8])

/** The IPv4 packet in an Ethernet frame; undefined for anything else, for later fragments and for what is cut too short. */
export function decode(frame: Buffer): Segment | undefined {
  let at = 12
  if (frame.length < 34) return undefined
  while (vlans.has(frame.readUInt16BE(at)) && at + 6 <= frame.length) at += 4
  if (frame.readUInt16BE(at) !== 0x0800) return undefined
  at += 2
  if (frame.length < at + 20 || (frame[at] as number) >> 4 !== 4) return undefined
  const headBytes = 4 * ((frame[at] as number) & 15)
  const wholeBytes = frame.readUInt16BE(at + 2)
  const isLaterFragment = (frame.readUInt16BE(at + 6) & 0x1fff) !== 0
  const above = at + headBytes
  const protocol = frame[at + 9] as number
  if (headBytes < 20 || isLaterFragment) return undefined
  const addresses = { source: frame.readUInt32BE(at + 12), target: frame.readUInt32BE(at + 16) }
  const end = Math.min(frame.length, at + wholeBytes)
  const plain = { ...addresses, protocol, flags: 0, window: 0, sequence: 0 }
  if (protocol === tcp && end >= above + 20) {
    const dataAt = above + 4 * ((frame[above + 12] as number) >> 4)
    return {
      ...plain,
      sourcePort: frame.readUInt16BE(above),
      targetPort: frame.readUInt16BE(above + 2),
      sequence: frame.readUInt32BE(above + 4),
      flags: frame[above + 13] as number,
      window: frame.readUInt16BE(above + 14),
      bytes: Math.max(0, at + wholeBytes - dataAt),
      payload: frame.subarray(Math.min(dataAt, end), end),
    }
  }
  if (protocol === udp && end >= above + 8) {
    return {
      ...plain,
      sourcePort: frame.readUInt16BE(above),
      targetPort: frame.readUInt16BE(above + 2),
      bytes: Math.max(0, wholeBytes - headBytes - 8),
      payload: frame.subarray(above + 8, end),
    }
  }
  return {
    ...plain,
    sourcePort: 0,
    targetPort: 0,
    bytes: Math.max(0, wholeBytes - headBytes),
    payload: frame.subarray(above, end),
  }
}

export const numberOf = (ip: string): number => ip.split('.').reduce((value, part) => value * 256 + Number(part), 0)

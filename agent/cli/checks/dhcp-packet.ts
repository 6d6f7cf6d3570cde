import { numberToIp } from '../../../shared/network.ts'

/** What a DHCP server offered. Addresses as it wrote them; undefined where it did not. */
export type Offer = { server: string; mac: string; offered: string; mask?: string; router?: string }

const headBytes = 236
const cookie = 0x63825363
const [discover, offer] = [1, 2]

/** A DHCPDISCOVER (RFC 2131, 4.4.1) of this card; the answer is asked for by broadcast, where a listener sees it. */
export function discoverPacket(mac: string, transaction: number): Buffer {
  const packet = Buffer.alloc(300)
  packet.set([1, 1, 6, 0])
  packet.writeUInt32BE(transaction >>> 0, 4)
  packet.writeUInt16BE(0x8000, 10)
  packet.set(Buffer.from(mac.replaceAll(':', ''), 'hex'), 28)
  packet.writeUInt32BE(cookie, headBytes)
  // Message type; what it would like to be told: mask, router; end.
  packet.set([53, 1, discover, 55, 2, 1, 3, 255], headBytes + 4)
  return packet
}

/** The offer in an Ethernet frame, or undefined: whatever does not read as one, or answers another question. */
export function offerIn(frame: Buffer, transaction: number): Offer | undefined {
  try {
    if (frame.readUInt16BE(12) !== 0x0800 || frame[23] !== 17) return undefined
    const udp = 14 + ((frame[14] as number) & 15) * 4
    if (frame.readUInt16BE(udp) !== 67) return undefined
    const packet = frame.subarray(udp + 8, udp + frame.readUInt16BE(udp + 4))
    if (packet[0] !== 2 || packet.readUInt32BE(4) !== transaction >>> 0) return undefined
    if (packet.readUInt32BE(headBytes) !== cookie) return undefined
    const options = optionsOf(packet.subarray(headBytes + 4))
    if (options.get(53)?.[0] !== offer) return undefined
    const ip = (code: number) => {
      const value = options.get(code)
      return value && value.length >= 4 ? numberToIp(value.readUInt32BE(0)) : undefined
    }
    const [mask, router] = [ip(1), ip(3)]
    return {
      server: ip(54) ?? numberToIp(frame.readUInt32BE(26)),
      mac: frame.toString('hex', 6, 12).replace(/..(?=.)/g, '$&:'),
      offered: numberToIp(packet.readUInt32BE(16)),
      ...(mask !== undefined && { mask }),
      ...(router !== undefined && { router }),
    }
  } catch (error) {
    // Cut short: reading beyond its end.
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function optionsOf(bytes: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>()
  for (let at = 0; at + 1 < bytes.length && bytes[at] !== 255; ) {
    if (bytes[at] === 0) {
      at += 1
      continue
    }
    const length = bytes[at + 1] as number
    options.set(bytes[at] as number, bytes.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  return options
}

/** A packet as captured. `at`: milliseconds since 1970. `length`: bytes on the wire, of which `frame` holds the first. */
export type Packet = { at: number; length: number; frame: Buffer }

export const fileHeadBytes = 24
export const packetHeadBytes = 16
/** Larger than any frame: what says more is no capture, or one that was cut. */
const mostFrameBytes = 262_144
const ethernet = 1

/**
 * Reads a capture as it comes, in pieces of any size: the classic format, either byte order, micro- or nanoseconds
 * (draft-ietf-opsawg-pcap). Throws where it is none, or of another link than Ethernet. `onWhole` is given the same
 * bytes in pieces that never cut a packet (a view, valid during the call); the first is the file's head.
 */
export function makePcapReader(onPacket: (packet: Packet) => void, onWhole: (bytes: Buffer) => void = () => {}) {
  let rest: Buffer = Buffer.alloc(0)
  let head: { little: boolean; perSecond: number } | undefined

  function readHead(bytes: Buffer): void {
    const magic = bytes.readUInt32LE(0)
    const known = {
      2712847316: { little: true, perSecond: 1e6 },
      2712812621: { little: true, perSecond: 1e9 },
      3569595041: { little: false, perSecond: 1e6 },
      1295823521: { little: false, perSecond: 1e9 },
    }[magic]
    if (!known) throw new TypeError(`no capture: it begins with ${magic.toString(16)}`)
    head = known
    const link = known.little ? bytes.readUInt32LE(20) : bytes.readUInt32BE(20)
    if ((link & 0xffff) !== ethernet) throw new TypeError(`link type ${link} is not Ethernet`)
  }

  return {
    push(piece: Buffer): void {
      const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece])
      let at = 0
      if (!head && bytes.length >= fileHeadBytes) {
        readHead(bytes)
        at = fileHeadBytes
        onWhole(bytes.subarray(0, at))
      }
      const begun = at
      while (head && bytes.length - at >= packetHeadBytes) {
        const u32 = (offset: number) =>
          head?.little ? bytes.readUInt32LE(at + offset) : bytes.readUInt32BE(at + offset)
        const [seconds, fraction, kept, length] = [u32(0), u32(4), u32(8), u32(12)]
        if (kept > mostFrameBytes) throw new TypeError(`a packet of ${kept} bytes: the capture is damaged`)
        if (bytes.length - at - packetHeadBytes < kept) break
        const from = at + packetHeadBytes
        onPacket({
          at: seconds * 1000 + (fraction / head.perSecond) * 1000,
          length,
          frame: bytes.subarray(from, from + kept),
        })
        at = from + kept
      }
      if (at > begun) onWhole(bytes.subarray(begun, at))
      rest = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at))
    },
    /** Bytes of a packet that has not come whole. */
    waiting: () => rest.length,
  }
}

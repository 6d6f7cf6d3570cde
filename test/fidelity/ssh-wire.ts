/** The data types of RFC 4251, section 5, and the numbers of the messages that the probes use. */
export const message = {
  disconnect: 1,
  ignore: 2,
  unimplemented: 3,
  debug: 4,
  serviceRequest: 5,
  serviceAccept: 6,
  extInfo: 7,
  kexInit: 20,
  newKeys: 21,
  kexEcdhInit: 30,
  kexEcdhReply: 31,
  authRequest: 50,
  authFailure: 51,
  authSuccess: 52,
  authBanner: 53,
  globalRequest: 80,
  requestSuccess: 81,
  requestFailure: 82,
  channelOpen: 90,
  channelOpenConfirmation: 91,
  channelOpenFailure: 92,
  windowAdjust: 93,
  data: 94,
  extendedData: 95,
  eof: 96,
  close: 97,
  channelRequest: 98,
  channelSuccess: 99,
  channelFailure: 100,
} as const

/** Texts and buffers become strings, numbers uint32, booleans a byte. */
export type Part = string | number | boolean | Buffer

export const uint32 = (value: number): Buffer => {
  const out = Buffer.alloc(4)
  out.writeUInt32BE(value)
  return out
}

export const string = (value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value)
  return Buffer.concat([uint32(bytes.length), bytes])
}

export const payload = (type: number, ...parts: Part[]): Buffer =>
  Buffer.concat([
    Buffer.from([type]),
    ...parts.map((part) => {
      if (typeof part === 'number') return uint32(part)
      return typeof part === 'boolean' ? Buffer.from([part ? 1 : 0]) : string(part)
    }),
  ])

/** An mpint of a positive number given as bytes. */
export const mpint = (bytes: Buffer): Buffer => {
  let from = 0
  while (from < bytes.length && bytes[from] === 0) from++
  const trimmed = bytes.subarray(from)
  return string((trimmed[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed)
}

/** Reads fields one after the other; throws a RangeError where there is no such field. */
export class Reader {
  private at = 0
  private readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  byte(): number {
    return this.bytes.readUInt8(this.at++)
  }

  uint32(): number {
    this.at += 4
    return this.bytes.readUInt32BE(this.at - 4)
  }

  string(): Buffer {
    const length = this.uint32()
    if (this.at + length > this.bytes.length) throw new RangeError(`a string of ${length} bytes is cut off`)
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  rest(): Buffer {
    const rest = this.bytes.subarray(this.at)
    this.at = this.bytes.length
    return rest
  }
}

import { type Cipheriv, createCipheriv, createDecipheriv, createHmac, type Decipheriv } from 'node:crypto'
import { uint32 } from './ssh-wire.ts'

/** aes128-ctr with hmac-sha2-256 in one direction */
export class Protection {
  private readonly stream: Cipheriv | Decipheriv
  private readonly macKey: Buffer
  private first: Buffer | undefined

  constructor(keys: { key: Buffer; iv: Buffer; mac: Buffer }, open: boolean) {
    const [key, iv] = [keys.key.subarray(0, 16), keys.iv.subarray(0, 16)]
    this.stream = open ? createDecipheriv('aes-128-ctr', key, iv) : createCipheriv('aes-128-ctr', key, iv)
    this.macKey = keys.mac
  }

  seal(packet: Buffer, sequence: number): Buffer {
    return Buffer.concat([this.stream.update(packet), this.mac(packet, sequence)])
  }

  /** The whole length of the packet that begins with this block, its tag included. */
  length(block: Buffer): number {
    this.first ??= this.stream.update(block.subarray(0, 16))
    return 4 + this.first.readUInt32BE(0) + 32
  }

  open(sealed: Buffer, sequence: number): Buffer {
    const packet = Buffer.concat([this.first ?? Buffer.alloc(0), this.stream.update(sealed.subarray(16, -32))])
    this.first = undefined
    if (!this.mac(packet, sequence).equals(sealed.subarray(-32))) throw new Error('the server sent a wrong tag')
    return packet
  }

  private mac(packet: Buffer, sequence: number): Buffer {
    return createHmac('sha256', this.macKey)
      .update(Buffer.concat([uint32(sequence), packet]))
      .digest()
  }
}

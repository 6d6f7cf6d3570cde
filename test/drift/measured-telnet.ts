import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const [iac, sb, se, will, dont, doIt, wont] = [255, 250, 240, 251, 254, 253, 252]

/** A telnet client that refuses each option, types lines and waits for what it is told. */
export class TelnetClient {
  private readonly socket: Socket
  private text = ''
  private rest = Buffer.alloc(0)
  private waiting: { pattern: RegExp; resolve: (text: string) => void } | undefined

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (piece: Buffer) => this.take(piece))
    socket.on('error', () => undefined)
  }

  static async open(host: string): Promise<TelnetClient> {
    const socket = connect(23, host)
    await once(socket, 'connect')
    return new TelnetClient(socket)
  }

  /** What came since the last time, up to and with the pattern. */
  until(pattern: RegExp): Promise<string> {
    const found = new Promise<string>((resolve) => {
      this.waiting = { pattern, resolve }
    })
    this.look()
    return found
  }

  /** Types it; the time until the pattern is there. */
  async ask(line: string, pattern: RegExp): Promise<{ ms: number; text: string }> {
    const began = performance.now()
    const found = this.until(pattern)
    this.socket.write(`${line}\r\0`)
    return { text: await found, ms: performance.now() - began }
  }

  close(): void {
    this.socket.destroy()
  }

  private look(): void {
    if (!this.waiting?.pattern.test(this.text)) return
    const { resolve } = this.waiting
    this.waiting = undefined
    resolve(this.text)
    this.text = ''
  }

  private take(piece: Buffer): void {
    const bytes = Buffer.concat([this.rest, piece])
    let at = 0
    while (at < bytes.length) {
      const length = bytes[at] === iac ? commandLength(bytes, at) : 1
      if (length === 0) break
      if (bytes[at] !== iac) this.text += String.fromCharCode(bytes[at] as number)
      else this.answer(bytes[at + 1] as number, bytes[at + 2] as number)
      at += length
    }
    this.rest = bytes.subarray(at)
    this.look()
  }

  private answer(verb: number, option: number): void {
    if (verb === doIt) this.socket.write(Buffer.from([iac, wont, option]))
    if (verb === will) this.socket.write(Buffer.from([iac, dont, option]))
  }
}

/** 0: the rest of it has not come yet. */
function commandLength(bytes: Buffer, at: number): number {
  if (bytes[at + 1] !== sb) return bytes.length - at < 3 ? 0 : 3
  const end = bytes.indexOf(Buffer.from([iac, se]), at)
  return end < 0 ? 0 : end + 2 - at
}

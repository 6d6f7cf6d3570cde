import { createHash, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { Protection } from './ssh-protection.ts'
import { message, mpint, payload, Reader, string, uint32 } from './ssh-wire.ts'

/** How a connection ended, or that nothing came for as long as was asked. */
export type End = 'closed' | 'reset' | 'quiet'

export type KexLists = readonly (readonly string[])[]

const cipher = 'aes128-ctr'
/** What this client offers: one of each, which every OpenSSH has. */
export const clientLists = (more: readonly string[] = []): KexLists => [
  ['curve25519-sha256', ...more],
  ['ssh-ed25519', 'rsa-sha2-512', 'ecdsa-sha2-nistp256'],
  ...[[cipher], [cipher], ['hmac-sha2-256'], ['hmac-sha2-256'], ['none'], ['none'], [], []],
]

export const kexInitOf = (lists: KexLists, guessed = false): Buffer =>
  Buffer.concat([
    Buffer.from([message.kexInit]),
    Buffer.alloc(16, 7),
    ...lists.map((names) => string(names.join(','))),
    Buffer.from([guessed ? 1 : 0, 0, 0, 0, 0]),
  ])

export const listsOf = (kexInit: Buffer): string[][] => {
  const reader = new Reader(kexInit.subarray(17))
  return Array.from({ length: 10 }, () => {
    const names = reader.string().toString('latin1')
    return names === '' ? [] : names.split(',')
  })
}

/**
 * A small SSH client that sends whatever it is told, also what no client would: it knows one key exchange and one
 * cipher, and does not check who the server is. For comparing servers, not for talking to one.
 */
export class SshClient {
  readonly socket: Socket
  readonly version = 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3'
  private received = Buffer.alloc(0)
  private ended: End | undefined
  private wake: () => void = () => undefined
  private sealing: Protection | undefined
  private opening: Protection | undefined
  private theirSequence = 0
  private serverLine = ''
  private session: Buffer | undefined
  /** Messages that came while another was waited for. */
  readonly aside: Buffer[] = []
  /** Number of the next packet, as the server counts it. */
  sequence = 0
  strict = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (piece: Buffer) => {
      this.received = Buffer.concat([this.received, piece])
      this.wake()
    })
    socket.on('error', () => this.end('reset'))
    socket.on('close', () => this.end('closed'))
    socket.on('end', () => this.end('closed'))
  }

  static async connect(host: string, port = 22): Promise<SshClient> {
    const socket = connect({ host, port, noDelay: true })
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new SshClient(socket)
  }

  private end(how: End): void {
    this.ended ??= how
    this.wake()
  }

  close(): void {
    this.socket.destroy()
  }

  /** Waits for `ready` to give something; else how it ended, or 'quiet' after `ms`. */
  private async until<T>(ready: () => T | undefined, ms: number): Promise<T | End> {
    const end = performance.now() + ms
    for (;;) {
      const found = ready()
      if (found !== undefined) return found
      if (this.ended) return this.ended
      const left = end - performance.now()
      if (left <= 0) return 'quiet'
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** The server's line without its end. */
  async line(ms = 5000): Promise<string | End> {
    const line = await this.until(() => {
      const end = this.received.indexOf(10)
      if (end < 0) return undefined
      const text = this.received.subarray(0, end).toString('latin1')
      this.received = this.received.subarray(end + 1)
      return text
    }, ms)
    if (line.startsWith('SSH-')) this.serverLine = line.replace(/\r$/, '')
    return line
  }

  /** All bytes until the end, or until nothing came for `ms`. */
  async rest(ms: number): Promise<{ bytes: Buffer; end: End }> {
    let seen = 0
    for (;;) {
      const more = await this.until(() => (this.received.length > seen ? this.received.length : undefined), ms)
      if (typeof more !== 'number') return { bytes: this.received, end: more }
      seen = more
    }
  }

  raw(bytes: Buffer | string): void {
    this.socket.write(bytes)
  }

  send(body: Buffer): void {
    this.socket.write(this.packet(body))
  }

  /** Sent as one segment, as a client does that does not wait. */
  packet(body: Buffer): Buffer {
    const sequence = this.sequence++
    const block = this.sealing ? 16 : 8
    let padding = block - ((body.length + 5) % block)
    if (padding < 4) padding += block
    const packet = Buffer.concat([
      uint32(body.length + 1 + padding),
      Buffer.from([padding]),
      body,
      Buffer.alloc(padding),
    ])
    return this.sealing ? this.sealing.seal(packet, sequence) : packet
  }

  /** The payload of the next packet. */
  next(ms = 10_000): Promise<Buffer | End> {
    return this.until(() => {
      if (this.received.length < (this.opening ? 16 : 4)) return undefined
      const whole = this.opening?.length(this.received) ?? 4 + this.received.readUInt32BE(0)
      if (this.received.length < whole) return undefined
      const sealed = this.received.subarray(0, whole)
      this.received = this.received.subarray(whole)
      const sequence = this.theirSequence++
      const packet = this.opening ? this.opening.open(sealed, sequence) : sealed
      return packet.subarray(5, packet.length - packet.readUInt8(4))
    }, ms)
  }

  /** Up to the keys; what the server sends behind its NEWKEYS stays to be read. Gives the server's KEXINIT. */
  async keys(more: readonly string[] = [], greet = true): Promise<Buffer> {
    if (greet) {
      await this.line()
      this.raw(`${this.version}\r\n`)
    }
    this.strict ||= more.includes('kex-strict-c-v00@openssh.com')
    const ours = kexInitOf(clientLists(more))
    this.send(ours)
    const theirs = await this.expected(message.kexInit)
    const pair = generateKeyPairSync('x25519')
    const point = Buffer.from(String(pair.publicKey.export({ format: 'jwk' }).x), 'base64url')
    this.send(payload(message.kexEcdhInit, point))
    const reply = new Reader((await this.expected(message.kexEcdhReply)).subarray(1))
    const [hostKey, theirPoint] = [reply.string(), reply.string()]
    const publicKey = createPublicKey({
      key: { kty: 'OKP', crv: 'X25519', x: theirPoint.toString('base64url') },
      format: 'jwk',
    })
    const secret = mpint(diffieHellman({ privateKey: pair.privateKey, publicKey }))
    const texts = [this.version, this.serverLine, ours, theirs, hostKey, point, theirPoint].map((one) => string(one))
    const hash = createHash('sha256')
      .update(Buffer.concat([...texts, secret]))
      .digest()
    this.session ??= hash
    const key = (letter: string) =>
      createHash('sha256')
        .update(Buffer.concat([secret, hash, Buffer.from(letter), this.session ?? hash]))
        .digest()
    await this.expected(message.newKeys)
    this.send(payload(message.newKeys))
    if (this.strict) this.sequence = this.theirSequence = 0
    this.sealing = new Protection({ key: key('C'), iv: key('A'), mac: key('E') }, false)
    this.opening = new Protection({ key: key('D'), iv: key('B'), mac: key('F') }, true)
    return theirs
  }

  private async expected(type: number): Promise<Buffer> {
    for (;;) {
      const body = await this.next()
      if (typeof body === 'string') throw new Error(`${body} instead of message ${type}`)
      if (body[0] === type) return body
      if (body[0] === message.disconnect || body[0] === message.authFailure) {
        throw new Error(`message ${body[0]} instead of ${type}: ${body.toString('latin1')}`)
      }
      this.aside.push(body)
    }
  }

  async service(): Promise<void> {
    this.send(payload(message.serviceRequest, 'ssh-userauth'))
    await this.expected(message.serviceAccept)
  }

  password(user: string, password: string): Buffer {
    return payload(message.authRequest, user, 'ssh-connection', 'password', false, password)
  }

  /** Throws where the password is not the right one. */
  async logIn(user: string, password: string): Promise<void> {
    await this.service()
    this.send(this.password(user, password))
    await this.expected(message.authSuccess)
  }
}

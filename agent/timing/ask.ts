import { createSocket } from 'node:dgram'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { chosenByServer } from '../capture/server-hello.ts'
import { hassh } from '../capture/ssh-hello.ts'
import type { AskedKind, Service } from './services.ts'
import { makeWire } from './wire.ts'

/** What one visit saw, milliseconds and bytes; named as the features are. */
export type Visit = {
  connectMs?: number
  /** From the connection to the greeting of a server that speaks first, or from a TLS hello to its answer. */
  handshakeMs?: number
  /** From a request to the first of its response. */
  responseMs?: number
  responseBytes?: number
  requestBytes?: number
  /** What the server chose, as captures tell it. */
  handshakeKind?: string
  /** It refused, reset, or said nothing in time. */
  failed: boolean
}

const connectWithinMs = 4000
const answerWithinMs = 4000
const mostBytes = 65_536

const now = () => Number(process.hrtime.bigint()) / 1e6
const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
const page = (ip: string) =>
  `GET / HTTP/1.1\r\nHost: ${ip}\r\nUser-Agent: ${agent}\r\nAccept: text/html,*/*;q=0.8\r\nConnection: close\r\n\r\n`

/** What is sent once a server has greeted: what a client that changes its mind says. None logs in. */
const politely: Partial<Record<AskedKind, string>> = {
  ssh: 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n',
  ftp: 'QUIT\r\n',
  smtp: 'QUIT\r\n',
}

/** One connection as a usual client makes it, and no log-in. Never throws: what goes wrong is `failed`. */
export async function visit({ ip, port, kind, from }: Service): Promise<Visit> {
  if (kind === 'dns') return askName(ip, port, from)
  const begun = now()
  const socket = await opened(ip, port, from)
  if (!socket) return { failed: true }
  const connectMs = now() - begun
  try {
    if (kind === 'http') return { connectMs, ...(await request(socket, page(ip))) }
    if (kind === 'https') return { connectMs, ...(await overTls(socket, ip)) }
    if (kind === 'smb' || kind === 'rdp') return { connectMs, failed: false }
    return { connectMs, ...(await greeted(socket, politely[kind])) }
  } finally {
    socket.destroy()
  }
}

function opened(ip: string, port: number, from: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: ip, port, localAddress: from, noDelay: true })
    const timer = setTimeout(() => end(undefined), connectWithinMs)
    const end = (given: Socket | undefined) => {
      clearTimeout(timer)
      if (!given) socket.destroy()
      resolve(given)
    }
    socket.once('connect', () => end(socket))
    // Stays: what comes later is told by the end of the connection.
    socket.on('error', () => end(undefined))
  })
}

/** Sends, and gathers until the other side closes or falls silent. */
async function request(socket: Pick<Socket, 'write' | 'on' | 'once' | 'off'>, text: string): Promise<Visit> {
  const begun = now()
  const { firstAt, data } = await gather(socket, () => socket.write(text))
  if (firstAt === undefined) return { failed: true }
  const sizes = { requestBytes: Buffer.byteLength(text), responseBytes: data.length }
  return { responseMs: firstAt - begun, ...sizes, failed: false }
}

async function greeted(socket: Socket, answer: string | undefined): Promise<Visit> {
  const begun = now()
  const hello = await gather(
    socket,
    () => {},
    (data) => data.includes(10) || data[0] === 255,
  )
  if (hello.firstAt === undefined) return { failed: true }
  const handshakeMs = hello.firstAt - begun
  if (answer === undefined) return { handshakeMs, failed: false }
  const asked = now()
  const lineEnd = hello.data.indexOf(10) + 1
  const isSsh = answer.startsWith('SSH-')
  const whole = (data: Buffer) => !isSsh || (data.length >= 4 && data.length >= 4 + data.readUInt32BE(0))
  const { firstAt, data } = await gather(socket, () => socket.write(answer), whole)
  if (firstAt === undefined) return { handshakeMs, failed: true }
  const handshakeKind = isSsh ? hassh(Buffer.concat([hello.data.subarray(0, lineEnd), data]), 'server') : undefined
  return {
    handshakeMs,
    responseMs: firstAt - asked,
    requestBytes: answer.length,
    responseBytes: data.length,
    ...(handshakeKind !== undefined && { handshakeKind }),
    failed: false,
  }
}

function overTls(socket: Socket, ip: string): Promise<Visit> {
  return new Promise((resolve) => {
    const wire = makeWire(socket, now)
    // Whose certificate it is does not matter here: nothing that is secret is said.
    const secure = connectTls({ socket: wire.stream, rejectUnauthorized: false })
    const fail = () => {
      clearTimeout(timer)
      resolve({ failed: true })
    }
    const timer = setTimeout(fail, answerWithinMs)
    secure.on('error', fail)
    secure.once('close', fail)
    secure.once('secureConnect', () => {
      clearTimeout(timer)
      const { askedAt = 0, answeredAt = 0 } = wire
      const chosen = chosenByServer(wire.begun)
      const agreed = { handshakeMs: answeredAt - askedAt, ...(chosen !== undefined && { handshakeKind: chosen }) }
      request(secure, page(ip)).then((answer) => resolve({ ...agreed, ...answer }))
    })
  })
}

type Heard = { firstAt: number | undefined; data: Buffer }

/** What comes after `begin`: until `enough`, the end of the connection, or silence. */
function gather(
  socket: Pick<Socket, 'on' | 'once' | 'off'>,
  begin: () => void,
  enough: (data: Buffer) => boolean = () => false,
): Promise<Heard> {
  return new Promise((resolve) => {
    let data: Buffer = Buffer.alloc(0)
    let firstAt: number | undefined
    const timer = setTimeout(() => end(), answerWithinMs)
    const end = () => {
      clearTimeout(timer)
      socket.off('data', take)
      resolve({ firstAt, data })
    }
    const take = (chunk: Buffer) => {
      firstAt ??= now()
      data = Buffer.concat([data, chunk])
      if (data.length >= mostBytes || enough(data)) end()
    }
    socket.on('data', take)
    socket.once('end', end)
    socket.once('close', end)
    begin()
  })
}

/** The name of the server's own address: what any machine asks for of a neighbour that it saw (RFC 1035, 3.5). */
function askName(ip: string, port: number, from: string): Promise<Visit> {
  const labels = [...ip.split('.').reverse(), 'in-addr', 'arpa']
  const name = Buffer.concat(labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])))
  const id = Math.floor(now() * 1000) & 0xffff
  const head = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  const query = Buffer.concat([head, name, Buffer.from([0, 0, 12, 0, 1])])
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    let begun = now()
    const end = (visit: Visit) => {
      clearTimeout(timer)
      socket.close()
      resolve(visit)
    }
    const timer = setTimeout(() => end({ failed: true }), answerWithinMs)
    socket.once('error', () => end({ failed: true }))
    socket.on('message', (answer) => {
      if (answer.length < 12 || answer.readUInt16BE(0) !== id) return
      const responseMs = now() - begun
      // SERVFAIL and REFUSED are failures; that there is no such name is an answer.
      const failed = [2, 5].includes((answer[3] as number) & 15)
      end({ responseMs, requestBytes: query.length, responseBytes: answer.length, failed })
    })
    socket.bind({ address: from, exclusive: true }, () =>
      socket.connect(port, ip, () => {
        begun = now()
        socket.send(query)
      }),
    )
  })
}

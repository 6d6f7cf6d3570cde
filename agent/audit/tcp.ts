import { connect, type Socket } from 'node:net'

export type Talk = {
  /** Milliseconds until the connection stood, and from then to the first byte. */
  connectMs: number
  firstMs?: number
  data: Buffer
  /** How it ended: the other side closed or reset it, or it said nothing more in time. */
  end: 'closed' | 'reset' | 'quiet'
}

const mostBytes = 65_536
const msSince = (start: bigint) => Number(process.hrtime.bigint() - start) / 1e6

/**
 * Connects, sends each of `lines` after the answer to the one before (the first after the greeting), and gathers what comes until
 * it is closed, `enough` says so, or nothing came for `quietMs`. Throws where there is no connection.
 */
export async function talk(
  ip: string,
  port: number,
  options: {
    send?: readonly (string | Buffer)[]
    quietMs?: number
    enough?: (data: Buffer) => boolean
    greets?: boolean
  } = {},
): Promise<Talk> {
  const { send = [], quietMs = 2000, enough, greets = true } = options
  const waiting = [...send]
  const start = process.hrtime.bigint()
  const socket = await connected(ip, port)
  const connectMs = msSince(start)
  const stood = process.hrtime.bigint()
  return new Promise((resolve) => {
    let data = Buffer.alloc(0)
    let firstMs: number | undefined
    let end: Talk['end'] = 'quiet'
    const finish = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ connectMs, ...(firstMs !== undefined && { firstMs }), data, end })
    }
    let timer = setTimeout(finish, quietMs)
    const sendNext = () => {
      const next = waiting.shift()
      if (next !== undefined) socket.write(next)
    }
    if (!greets) sendNext()
    socket.on('data', (chunk: Buffer) => {
      firstMs ??= msSince(stood)
      data = Buffer.concat([data, chunk])
      if (data.length > mostBytes || enough?.(data)) return finish()
      clearTimeout(timer)
      timer = setTimeout(finish, quietMs)
      sendNext()
    })
    socket.on('error', () => {
      end = 'reset'
    })
    socket.on('end', () => {
      end = 'closed'
    })
    socket.on('close', finish)
  })
}

/** A connection, or the reason why there is none. */
export function connected(ip: string, port: number, withinMs = 4000): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: ip, port, noDelay: true })
    const timer = setTimeout(() => socket.destroy(new Error(`no answer from ${ip}:${port}`)), withinMs)
    socket.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}

import ssh2, { type AuthenticationType, type AuthHandlerMiddleware, type Client, type ClientChannel } from 'ssh2'
import { connected } from './tcp.ts'

/** Older names that small devices still offer; a client that lacks them could not look at those. */
const algorithms = {
  kex: { append: ['diffie-hellman-group14-sha1', 'diffie-hellman-group1-sha1'], prepend: [], remove: [] },
  serverHostKey: { append: ['ssh-rsa', 'ssh-dss'], prepend: [], remove: [] },
  cipher: { append: ['aes128-cbc', '3des-cbc'], prepend: [], remove: [] },
} as const

export type Attempts = {
  /** What `none` was answered with (RFC 4252, 5.2). */
  methods: string[]
  /** Milliseconds of each answer to a password. */
  answersMs: number[]
  /** How it ended: let in, thrown out by the other side, or all tries used. */
  end: 'in' | 'thrown out' | 'used up'
  words: string
  client?: Client
}

/** Tries passwords on one connection, after `none`. The client is open where one was right. */
export async function tryPasswords(ip: string, user: string, passwords: readonly string[]): Promise<Attempts> {
  const sock = await connected(ip, 22)
  const client = new ssh2.Client()
  const waiting = [...passwords]
  const result: Attempts = { methods: [], answersMs: [], end: 'thrown out', words: '' }
  let asked: { method: 'none' | 'password'; at: number } | undefined
  let usedUp = false
  const authHandler: AuthHandlerMiddleware = (left, _partial, next) => {
    note(left)
    if (!asked) {
      asked = { method: 'none', at: performance.now() }
      return next('none' as AuthenticationType)
    }
    const password = waiting.shift()
    usedUp = password === undefined
    if (password === undefined) return next(false as unknown as AuthenticationType)
    asked = { method: 'password', at: performance.now() }
    next({ type: 'password', username: user, password })
  }
  function note(left: readonly string[] | null | undefined): void {
    if (asked?.method === 'none' && left) result.methods = [...left]
    if (asked?.method === 'password') result.answersMs.push(performance.now() - asked.at)
  }
  return new Promise((resolve) => {
    const finish = (end: Attempts['end'], words: string) => {
      if (end !== 'in') client.destroy()
      resolve({ ...result, end, words, ...(end === 'in' && { client }) })
    }
    client.once('ready', () => {
      note(undefined)
      finish('in', '')
    })
    client.on('error', (error) => finish(usedUp ? 'used up' : 'thrown out', error.message))
    client.once('close', () => finish(usedUp ? 'used up' : 'thrown out', 'the connection was closed'))
    client.connect({
      sock,
      username: user,
      authHandler,
      readyTimeout: 60_000,
      hostVerifier: () => true,
      // The package's types want mutable lists.
      algorithms: structuredClone(algorithms) as never,
    })
  })
}

export type Ran = { out: string; err: string; code: number | null; refused?: string }

/** Runs one command over `exec` and gives what it printed. `refused` says why there was no command. */
export function execute(client: Client, line: string, withinMs = 6000): Promise<Ran> {
  return new Promise((resolve) => {
    const ran: Ran = { out: '', err: '', code: null }
    const timer = setTimeout(() => resolve({ ...ran, refused: 'it did not end in time' }), withinMs)
    const finish = (more: Partial<Ran> = {}) => {
      clearTimeout(timer)
      client.off('close', onClose)
      resolve({ ...ran, ...more })
    }
    const onClose = () => finish({ refused: 'the connection was closed' })
    client.once('close', onClose)
    client.exec(line, (error: Error | undefined, channel: ClientChannel) => {
      if (error) return finish({ refused: error.message })
      channel.on('data', (chunk: Buffer) => {
        if (ran.out.length < 65_536) ran.out += chunk.toString('utf8')
      })
      channel.stderr.on('data', (chunk: Buffer) => {
        if (ran.err.length < 4096) ran.err += chunk.toString('utf8')
      })
      channel.once('exit', (code: number | null) => {
        ran.code = code
      })
      channel.once('close', () => finish())
    })
  })
}

/** Colours and other control sequences of a terminal (ECMA-48, 5.4). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const controls = /\u001b\[[0-9;?]*[A-Za-z]|\r/g

/** Runs commands one after the other in an interactive shell, for servers whose `exec` does not work. */
export async function shellOf(client: Client): Promise<(line: string) => Promise<Ran>> {
  const { promise, resolve, reject } = Promise.withResolvers<ClientChannel>()
  client.shell({ term: 'xterm', cols: 200, rows: 50 }, (error, channel) => (error ? reject(error) : resolve(channel)))
  const channel = await promise
  let text = ''
  let look = () => {}
  channel.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8')
    look()
  })
  let count = 0
  return (line) => {
    const mark = `end${++count}of`
    text = ''
    channel.write(`${line}; echo ${mark}$?\r`)
    return new Promise((finish) => {
      const timer = setTimeout(() => finish({ out: '', err: '', code: null, refused: 'it did not end in time' }), 4000)
      look = () => {
        const shown = text.replace(controls, '')
        const ended = new RegExp(`${mark}(\\d+)`).exec(shown)
        if (!ended) return
        clearTimeout(timer)
        look = () => {}
        // The first line is the terminal's echo of what was typed.
        finish({ out: shown.slice(shown.indexOf('\n') + 1, ended.index), err: '', code: Number(ended[1]) })
      }
    })
  }
}

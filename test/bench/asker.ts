import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { end } from './controller.ts'

/** Asks on one open connection, again and again, and tells how long each answer took. */
export class Asker {
  readonly #child: ChildProcess
  readonly #question: (n: number) => string
  readonly #isAnswer: (seen: string, n: number) => boolean
  #seen = ''
  #heard = () => {}
  #asked = 0

  constructor(child: ChildProcess, question: (n: number) => string, isAnswer: (seen: string, n: number) => boolean) {
    this.#child = child
    this.#question = question
    this.#isAnswer = isAnswer
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#seen += text
      this.#heard()
    })
    child.once('exit', () => this.#heard())
  }

  /** Milliseconds that the answer took, and when it was whole, on the monotonic clock. */
  async ask(): Promise<{ tookMs: number; at: number }> {
    this.#seen = ''
    const n = ++this.#asked
    const from = performance.now()
    this.#child.stdin?.write(this.#question(n))
    await this.until((seen) => this.#isAnswer(seen, n))
    const at = performance.now()
    return { tookMs: at - from, at }
  }

  async until(holds: (seen: string) => boolean): Promise<void> {
    const giveUp = AbortSignal.timeout(15_000)
    while (!holds(this.#seen)) {
      if (this.#child.exitCode !== null || giveUp.aborted)
        throw new Error(`no answer; what came is ${JSON.stringify(this.#seen.slice(-200))}`)
      await new Promise<void>((resolve) => {
        this.#heard = resolve
        giveUp.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }

  leave = (): Promise<void> => {
    this.#child.stdin?.end()
    return end(this.#child)
  }
}

type Place = { space: string; to: string }

/** A shell over a real ssh client, which runs a command each time. */
export async function shellAsker(o: Place & { user: string; password: string }): Promise<Asker> {
  const quiet = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'LogLevel=ERROR',
    'PubkeyAuthentication=no',
  ]
  const ssh = ['ssh', '-tt', '-F', 'none', ...quiet.flatMap((option) => ['-o', option]), `${o.user}@${o.to}`]
  const env = { ...process.env, SSHPASS: o.password }
  const child = spawn('ip', ['netns', 'exec', o.space, 'sshpass', '-e', ...ssh], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env,
  })
  const asker = new Asker(
    child,
    (n) => `echo said${n}\r`,
    (seen, n) => new RegExp(`[\\r\\n]said${n}\\r?\\n[^\\n]*[$#>] ?(\\x1b\\[[^a-zA-Z]*[a-zA-Z])*$`).test(seen),
  )
  await asker.until((seen) => /[$#>] ?$/.test(seen))
  return asker
}

/** A connection to a web server that is kept. */
export function webAsker({ space, to }: Place): Asker {
  const script = join(import.meta.dirname, 'stdio-connect.ts')
  const child = spawn('ip', ['netns', 'exec', space, process.execPath, script, to, '80'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  return new Asker(
    child,
    () => 'HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n',
    (seen) => seen.startsWith('HTTP/1.1 ') && seen.endsWith('\r\n\r\n'),
  )
}

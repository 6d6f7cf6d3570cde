import { type ChildProcess, spawn } from 'node:child_process'
import { end } from './controller.ts'
import { until } from './until.ts'

/** A person at a real ssh client with an interactive shell, in a namespace, with an address of its own. */
export class Typist {
  readonly #child: ChildProcess
  #seen = ''

  constructor(o: { space: string; from: string; to: string; user: string; password: string }) {
    const quiet = [
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
      'PubkeyAuthentication=no',
    ]
    const ssh = ['ssh', '-tt', '-F', 'none', '-b', o.from, ...quiet.flatMap((option) => ['-o', option])]
    const argv = ['netns', 'exec', o.space, 'sshpass', '-e', ...ssh, `${o.user}@${o.to}`]
    const env = { ...process.env, SSHPASS: o.password }
    this.#child = spawn('ip', argv, { stdio: ['pipe', 'pipe', 'ignore'], env })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#seen += text
    })
  }

  /** Waits for the prompt of the shell; the error tells what came instead. */
  async prompt(): Promise<void> {
    try {
      await until(
        () => {
          if (this.#child.exitCode !== null) throw new Error('ssh ended')
          return /[$#>] ?$/.test(this.#seen)
        },
        'a prompt came',
        10,
      )
    } catch (error) {
      throw new Error(`no prompt; what came is ${JSON.stringify(this.#seen.slice(-200))}`, { cause: error })
    }
  }

  /** Types a line, key by key, without Enter; resolves when the shell has echoed all of it. */
  async type(line: string): Promise<void> {
    this.#seen = ''
    for (const key of line) this.#child.stdin?.write(key)
    await until(() => this.#seen.includes(line), `the shell echoes ${line}`)
  }

  /** Presses Enter; the moment at which the key was written, on the monotonic clock. */
  enter(): bigint {
    const at = process.hrtime.bigint()
    this.#child.stdin?.write('\r')
    return at
  }

  leave(): Promise<void> {
    this.#child.stdin?.end()
    return end(this.#child)
  }
}

import { spawn } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'
import { containerName } from './lab/machines.ts'

export type Typed = { line: string; at: number }

/** A person's shell on a decoy, over a real ssh client in an attacker's machine. */
export type AttackShell = {
  /** When each line's Enter was pressed, milliseconds since 1970. */
  typed: Typed[]
  /** Types a line and gives what came back until the shell is ready again. Rejects when the session ended or is stuck. */
  type(line: string, timeoutMs?: number): Promise<string>
  /** Types a line and does not wait. */
  send(line: string): void
  open(): boolean
  end(): void
}

type Target = { lab: string; from: string; ip: string; user: string; password: string; sourceAddress?: string }

const clientOptions = [
  'StrictHostKeyChecking=no',
  'UserKnownHostsFile=/dev/null',
  'LogLevel=ERROR',
  'ConnectTimeout=10',
]

/** Logs in; resolves at the first prompt. The password is handed over by environment, not by argument. */
export async function openShell({ lab, from, ip, user, password, sourceAddress }: Target): Promise<AttackShell> {
  const bind = sourceAddress === undefined ? [] : ['-b', sourceAddress]
  const ssh = [
    'sshpass',
    '-e',
    'ssh',
    '-tt',
    ...bind,
    ...clientOptions.flatMap((option) => ['-o', option]),
    `${user}@${ip}`,
  ]
  const child = spawn('docker', ['exec', '-i', '-e', 'SSHPASS', containerName(lab, from), ...ssh], {
    env: { ...process.env, SSHPASS: password },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let text = ''
  let ended = false
  let wake = () => {}
  const hear = (chunk: Buffer) => {
    text += stripVTControlCharacters(chunk.toString('utf8'))
    wake()
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  child.stdin.on('error', () => {})
  child.on('exit', () => {
    ended = true
    wake()
  })

  async function heard(ready: () => boolean, timeoutMs: number, what: string): Promise<void> {
    const late = AbortSignal.timeout(timeoutMs)
    while (!ready()) {
      if (ended) throw new Error(`the session ended ${what}: ${text.slice(-300).trim()}`)
      await new Promise<void>((resolve, reject) => {
        wake = resolve
        late.addEventListener(
          'abort',
          () => reject(new Error(`no answer within ${timeoutMs} ms ${what}: ${text.slice(-300).trim()}`)),
          { once: true },
        )
      })
    }
  }

  await heard(() => prompt.test(text), 20_000, 'at the log-in')
  const typed: Typed[] = []
  const send = (line: string) => {
    typed.push({ line, at: Date.now() })
    child.stdin.write(`${line}\r`)
  }
  return {
    typed,
    send,
    async type(line, timeoutMs = 15_000) {
      text = ''
      send(line)
      await heard(() => prompt.test(text), timeoutMs, `after ${line}`)
      return text
    },
    open: () => !ended,
    end: () => void child.kill(),
  }
}

/** A shell's prompt at the end of what came: `user@host:~# ` and the like. */
const prompt = /[\w.-]+(?:@[\w.-]+)?[^\n]*[#$>] ?$/

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readlink } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { MarshlightError } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import { type Job, type Told, told } from './job.ts'

const run = promisify(execFile)

/** Every card that this room makes is called so. */
export const cardName = 'marsh-audit'

/** Runs one job in a place of its own and calls back for each thing told. Throws COMMAND_FAILED, TIMEOUT. */
export type RunJob = (
  nic: string,
  job: Job,
  limits: { timeoutMs: number },
  onTold: (one: Told) => void,
  signal: AbortSignal,
) => Promise<void>

/**
 * A neighbour's place: a process in a network of its own, with a second macvlan address on the segment's card.
 *
 *   spawn (new network, new process tree) -> 'ready' -> card made right in its network -> job -> what it tells -> gone
 *
 * Nothing of it has a life of its own: the network is the process's alone, so it goes with it, and the card with the
 * network. The process goes with the agent, killed or not: its first process dies with its parent, and all others with
 * the first.
 */
export function makePlaces(deps: { log: Log; command?: readonly string[] }): RunJob {
  const command = deps.command ?? [process.execPath, ...process.execArgv, process.argv[1] ?? '', 'audit-probe']
  const apart = [
    '--pdeathsig',
    'KILL',
    '--',
    'unshare',
    '--net',
    '--pid',
    '--mount-proc',
    '--fork',
    '--kill-child=KILL',
    '--',
  ]

  return async (nic, job, { timeoutMs }, onTold, signal) => {
    signal.throwIfAborted()
    const child = spawn('setpriv', [...apart, ...command], { stdio: ['pipe', 'pipe', 'pipe'] })
    const ended = endOf(child)
    let broken: Error | undefined
    let finished = false
    const breakOff = (why: Error) => {
      broken ??= why
      child.kill('SIGKILL')
    }
    const onAbort = () => breakOff(signal.reason instanceof Error ? signal.reason : new Error('stopped'))
    signal.addEventListener('abort', onAbort, { once: true })
    const timer = setTimeout(
      () =>
        breakOff(
          new MarshlightError('TIMEOUT', {
            what: `the ${job.do} of ${job.decoy.ip}`,
            seconds: timeoutMs / 1000,
            next: 'Does the decoy still answer? See `marshlight decoys show`.',
          }),
        ),
      timeoutMs,
    )
    // A child that is gone does not read its job; why it went is told by its end.
    child.stdin.on('error', () => undefined)
    createInterface({ input: child.stdout }).on('line', (line) => {
      const parsed = parse(line)
      if (parsed === undefined) return
      if (parsed.type === 'ready')
        void giveCard(child, nic, job).then(() => child.stdin.write(`${JSON.stringify(job)}\n`), breakOff)
      else if (parsed.type === 'done') finished = true
      else if (parsed.type === 'failed') breakOff(failure(job, parsed.message))
      else onTold(parsed)
    })
    try {
      const why = await ended
      if (broken) throw broken
      if (!finished) throw failure(job, why)
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }
}

/** Never anywhere but in the child's network: made there, not moved there. */
async function giveCard(child: ChildProcess, nic: string, { from }: Job): Promise<void> {
  const [own, its] = await Promise.all(['self', String(child.pid)].map((pid) => readlink(`/proc/${pid}/ns/net`)))
  if (own === its) throw new MarshlightError('COMMAND_FAILED', { command: 'unshare --net', ...notApart })
  const where = ['link', nic, 'name', cardName, 'netns', String(child.pid), 'address', from.mac]
  await run('ip', ['link', 'add', ...where, 'type', 'macvlan', 'mode', 'bridge'])
}

const notApart = {
  why: 'the process stands in the appliance’s own network',
  next: 'The agent needs CAP_SYS_ADMIN for audits; `marshlight-agent doctor` tells.',
}

function parse(line: string): Told | undefined {
  try {
    const parsed = told.safeParse(JSON.parse(line))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

const failure = (job: Job, why: string) =>
  new MarshlightError('COMMAND_FAILED', {
    command: `${job.do} of ${job.decoy.ip}`,
    why,
    next: 'It is tried again; the agent’s log tells more.',
  })

/** How it ended, with the last line it complained. */
function endOf(child: ChildProcess): Promise<string> {
  let words = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    words = (words + chunk).slice(-2048)
  })
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, killed) => {
      const last = words.trim().split('\n').at(-1)
      resolve(`${killed ?? `exit code ${code}`}${last ? `: ${last.slice(0, 300)}` : ''}`)
    })
  })
}

import { spawn } from 'node:child_process'
import { MarshlightError } from '../../../shared/errors.ts'

export type Ended = { code: number; stdout: string; stderr: string }

/** Output kept of one command, in characters: enough for any listing, too little to fill the memory. */
const outputLimit = 8_000_000

/** Runs a command on this machine to its end, whatever its exit code. */
export function run(
  file: string,
  args: readonly string[],
  { stdin, timeoutMs }: { stdin?: string | Buffer; timeoutMs?: number } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    // In a process group of its own: Ctrl-C at a terminal reaches all of a group, and a docker command that it ends leaves
    // the engine to finish what was asked, after the lab was listed to be removed.
    const child = spawn(file, args, {
      stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: true,
    })
    const ended: Ended = { code: -1, stdout: '', stderr: '' }
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        if (ended[name].length < outputLimit) ended[name] += text
      })
    }
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ ...ended, code: code ?? -1 })
    })
    child.stdin?.on('error', () => {}).end(stdin)
  })
}

/** The docker command; throws what it said when it fails. */
export async function docker(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run('docker', args)
  if (code === 0) return stdout.trim()
  throw new MarshlightError('COMMAND_FAILED', {
    command: `docker ${args.slice(0, 2).join(' ')}`,
    why: stderr.trim() || `exit code ${code}`,
    next: /cannot connect to the docker daemon/i.test(stderr)
      ? 'Start the Docker Engine; `npm run setup -- --lab` does that where no service manager does.'
      : 'If another lab is in the way, remove it: `npm run demo -- --down`.',
  })
}

export const wordsIn = (text: string) => text.split(/\s+/).filter(Boolean)

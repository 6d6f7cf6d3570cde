import { spawn } from 'node:child_process'
import { MarshlightError } from '../../shared/errors.ts'
import { cidr4, ipv4 } from '../../shared/schemas/common.ts'
import { xmlLimit } from './nmap-xml.ts'

export type NmapJob = {
  options: readonly string[]
  /** Addresses and networks; anything else is refused before nmap sees it. */
  targets: readonly string[]
  exclude: readonly string[]
  /** Packets leave by this card only. */
  nic: string
  timeoutMs: number
}

/** Runs nmap once and gives its XML. Throws SCAN_FAILED, TIMEOUT, or the signal's reason. */
export type Nmap = (job: NmapJob, signal: AbortSignal) => Promise<string>

/** What nmap is called with. Targets stand behind `--`, each proven an address or network: none can become an option. */
export function nmapArguments(job: NmapJob): string[] {
  for (const one of [...job.targets, ...job.exclude])
    if (!ipv4.safeParse(one).success && !cidr4.safeParse(one).success)
      throw new MarshlightError('TARGET_OUTSIDE', { target: one, cidr: 'any IPv4 network' })
  if (job.targets.length === 0) throw new MarshlightError('TARGET_OUTSIDE', { target: 'nothing', cidr: 'any segment' })
  const exclude = job.exclude.length > 0 ? ['--exclude', job.exclude.join(',')] : []
  return ['-oX', '-', '-n', '-e', job.nic, ...job.options, ...exclude, '--', ...job.targets]
}

export const systemNmap: Nmap = async (job, signal) => {
  signal.throwIfAborted()
  const argv = nmapArguments(job)
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = spawn('nmap', argv, { stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' })
  const output: Buffer[] = []
  let size = 0
  let words = ''
  let broken: MarshlightError | undefined
  const breakOff = (error: MarshlightError) => {
    broken ??= error
    child.kill('SIGKILL')
  }
  const seconds = Math.round(job.timeoutMs / 1000)
  const timer = setTimeout(
    () =>
      breakOff(new MarshlightError('TIMEOUT', { what: 'nmap', seconds, next: 'Raise the rate or name fewer hosts.' })),
    job.timeoutMs,
  )
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > xmlLimit) breakOff(new MarshlightError('SCAN_FAILED', { why: 'more output than it may have' }))
    else output.push(chunk)
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    words = (words + chunk).slice(0, 2048)
  })
  let spawnError: Error | undefined
  child.on('error', (error) => {
    spawnError = error
    // Without a process there will be no `close`.
    if (child.pid === undefined) settle(null)
  })
  child.on('close', (code) => settle(code))
  function settle(code: number | null): void {
    clearTimeout(timer)
    if (signal.aborted) reject(signal.reason)
    else if (broken) reject(broken)
    else if (code === 0) resolve(Buffer.concat(output).toString('utf8'))
    else reject(new MarshlightError('SCAN_FAILED', { why: failure(code, words) }, { cause: spawnError }))
  }
  return promise
}

const failure = (code: number | null, words: string): string => {
  const last = words
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('QUITTING'))
    .at(-1)
  return `exit code ${code ?? 'none'}${last ? `: ${last.slice(0, 300)}` : ''}`
}

import { spawn } from 'node:child_process'
import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { MarshlightError } from '../../shared/errors.ts'

export type CommandOptions = {
  cwd?: string
  env?: NodeJS.ProcessEnv
  input?: string | Readable
  /** What to do when it fails, for a person. */
  next?: string
  signal?: AbortSignal
}

/** Lines of output an error quotes: enough to see the cause, not the whole of a build. */
const quotedLines = 12

/** Runs a command to its end and gives its standard output. Throws COMMAND_FAILED with the last lines of what it said. */
export async function command(file: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    signal: options.signal,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  const out: string[] = []
  const said: string[] = []
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out.push(text)
    said.push(text)
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => said.push(text))
  const ended = new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : `exit code ${code ?? signal}`))
  })
  // A command that ends before it has read its input breaks the pipe; its exit code tells more than EPIPE does.
  if (child.stdin) {
    if (typeof options.input === 'string') child.stdin.on('error', () => {}).end(options.input)
    else if (options.input) await pipeline(options.input, child.stdin).catch(() => {})
  }
  const failure = await ended
  if (failure === undefined) return out.join('')
  const last = said.join('').trimEnd().split('\n').slice(-quotedLines).join('\n')
  throw new MarshlightError('COMMAND_FAILED', {
    command: [file, ...args.slice(0, 2)].join(' '),
    why: last === '' ? failure : `${failure}\n${last}`,
    next: options.next ?? 'See what it said above.',
  })
}

/**
 * Pipes the output of one command into another, as the shell's `|`; both must succeed. Gives the second one's output.
 * The second is told the end only when the first has succeeded, and is ended otherwise: what imports an archive cannot
 * tell a short one from a whole one.
 */
export async function piped(from: readonly [string, ...string[]], to: readonly [string, ...string[]]): Promise<string> {
  const source = spawn(from[0], from.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
  const said: string[] = []
  source.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text))
  const sourceEnded = new Promise<string | undefined>((resolve) => {
    source.on('error', (error) => resolve(error.message))
    source.on('close', (code, signal) => resolve(code === 0 ? undefined : `exit code ${code ?? signal}`))
  })
  const ending = new AbortController()
  const held = source.stdout.pipe(new PassThrough(), { end: false })
  // A sink that gave up reads no more, and the source would wait for it for ever.
  let gaveUp = false
  held.on('close', () => {
    gaveUp = !held.writableEnded && !ending.signal.aborted
    source.stdout.destroy()
  })
  const sink = command(to[0], to.slice(1), { input: held, signal: ending.signal }).then(
    (text) => ({ text }),
    (error: unknown) => ({ error }),
  )
  const failure = await sourceEnded
  if (failure === undefined) held.end()
  else ending.abort()
  const end = await sink
  // The source of a sink that gave up fails for want of a reader: the sink's own words tell why.
  if ('error' in end && (failure === undefined || gaveUp)) throw end.error
  if (failure !== undefined) {
    throw new MarshlightError('COMMAND_FAILED', {
      command: from[0],
      why: [failure, ...said.join('').trimEnd().split('\n').slice(-quotedLines)].join('\n'),
      next: 'See what it said above.',
    })
  }
  if ('error' in end) throw end.error
  return end.text
}

import { spawn } from 'node:child_process'
import { MarshlightError } from '../../shared/errors.ts'

/** The kernel's packet filter through nft(8). Both throw COMMAND_FAILED with nft's own words. */
export type Nft = {
  /** One transaction: all of it or nothing. */
  apply(script: string): Promise<void>
  /** `nft -j list ...` as text. */
  list(what: readonly string[]): Promise<string>
}

const deadlineMs = 10_000
/** 65,536 elements are about 6 MB of JSON. */
const outputLimit = 32 * 1024 * 1024

export const systemNft: Nft = {
  apply: async (script) => {
    await run(['-f', '-'], script)
  },
  list: (what) => run(['-j', 'list', ...what], ''),
}

function run(argv: string[], input: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = spawn('nft', argv, { stdio: ['pipe', 'pipe', 'pipe'], timeout: deadlineMs, killSignal: 'SIGKILL' })
  const output: Buffer[] = []
  let size = 0
  let words = ''
  const fail = (why: string) =>
    reject(
      new MarshlightError('COMMAND_FAILED', {
        command: `nft ${argv.join(' ')}`,
        why,
        next: 'Run `marshlight-agent doctor`; nftables and root (CAP_NET_ADMIN) are needed.',
      }),
    )
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > outputLimit) child.kill('SIGKILL')
    else output.push(chunk)
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    words = (words + chunk).slice(0, 1024)
  })
  // nft may end before it has read everything; its exit code and words tell why, not our broken pipe.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  child.on('error', (error) => fail(error.message))
  child.on('close', (code, signal) => {
    if (code === 0) resolve(Buffer.concat(output).toString('utf8'))
    else fail(firstLine(words) || (signal ? `stopped by ${signal}` : `exit code ${code}`))
  })
  return promise
}

const firstLine = (text: string): string => text.trim().split('\n')[0] ?? ''

import { spawn } from 'node:child_process'

/** More than any program says that is asked here: a segment full of tagged frames must not fill the memory. */
const mostBytes = 1 << 20

export type Said = { code: number | null; out: string; err: string }

/** What a program said by its end, or by that of the signal, which kills it. Throws where it cannot be started. */
export function ask(command: string, argv: readonly string[], signal: AbortSignal, onLine?: () => void): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
    const said = { out: '', err: '' }
    const end = () => child.kill('SIGKILL')
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    for (const [name, stream] of [
      ['out', child.stdout],
      ['err', child.stderr],
    ] as const)
      stream.setEncoding('utf8').on('data', (text: string) => {
        if (said[name].length < mostBytes) said[name] += text
        onLine?.()
      })
    child.once('error', (error) => {
      signal.removeEventListener('abort', end)
      reject(new Error(`${command} cannot be started: ${error.message}`, { cause: error }))
    })
    child.once('close', (code) => {
      signal.removeEventListener('abort', end)
      resolve({ code, ...said })
    })
  })
}

/** The MACs in what arping printed of answers, each once. */
export const answerers = (printed: string): string[] => [
  ...new Set(
    [...printed.matchAll(/\[((?:[0-9a-f]{2}:){5}[0-9a-f]{2})\]/gi)].map((found) => (found[1] ?? '').toLowerCase()),
  ),
]

/** Who answers for `ip` on the card, asked twice. `from`: the address that asks; undefined: none (RFC 5227, 2.1.1). */
export async function whoHas(
  nic: string,
  ip: string,
  from: string | undefined,
  signal: AbortSignal,
): Promise<string[]> {
  const how = from === undefined ? ['-D'] : ['-s', from]
  const { code, out, err } = await ask('arping', [...how, '-c', '2', '-w', '2', '-I', nic, ip], signal)
  if (code !== null && code > 1) throw new Error(`arping: ${err.trim().split('\n')[0]}`)
  return answerers(out)
}

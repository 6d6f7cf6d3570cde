import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { MarshlightError } from '../../shared/errors.ts'

/** The Debian package of each program that is called. */
const packages: Record<string, string> = { mcopy: 'mtools', mdir: 'mtools', zstd: 'zstd', cp: 'coreutils' }
const most = 65_536

/**
 * Runs a program to its end and gives what it wrote. Nothing secret is given as an argument. Throws DISK_FULL,
 * COMMAND_FAILED with the end of what it said.
 */
export async function program(name: string, args: readonly string[], at: string): Promise<string> {
  // Settings of this user's own must not lead it elsewhere.
  const env = { ...process.env, LC_ALL: 'C', MTOOLSRC: '/dev/null', MTOOLS_SKIP_CHECK: '1' }
  const child = spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
  const [out, err]: [string[], string[]] = [[], []]
  child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => err.push(text.slice(0, most)))
  let code: unknown
  try {
    ;[code] = await once(child, 'close')
  } catch (error) {
    const next = `Install it: apt-get install ${packages[name] ?? name}.`
    throw new MarshlightError('COMMAND_FAILED', { command: name, why: 'it is not here', next }, { cause: error })
  }
  if (code === 0) return out.join('')
  const said = err.join('').trim()
  if (/no space left|disk full/i.test(said)) throw new MarshlightError('DISK_FULL', { path: at })
  const why = said.split('\n').at(-1)?.slice(-200) || `it ended with ${code}`
  throw new MarshlightError('COMMAND_FAILED', { command: name, why, next: `Nothing of it was kept in ${at}.` })
}

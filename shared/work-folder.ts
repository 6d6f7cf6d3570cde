import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { wordsOf } from './errors.ts'

const machine = hostname().replaceAll(/[^\w.]/g, '') || 'x'

/** `NAME-MACHINE-PID-XXXXXX` in `folder`: whose it is, so that the next one knows what a killed one left. */
export const makeWork = (folder: string, name: string): Promise<string> =>
  mkdtemp(join(folder, `${name}-${machine}-${process.pid}-`))

/**
 * Removes what processes of this machine left by that name that were killed: copies of gigabytes, which may hold a claim.
 * Those that run keep theirs, and so does another machine that shares the folder. Gives what was removed, and in words what could not be.
 */
export async function clearLeft(folder: string, name: string): Promise<{ removed: string[]; stays: string[] }> {
  const removed: string[] = []
  const stays: string[] = []
  for (const one of await readdir(folder)) {
    const [, whose, pid] = (one.startsWith(`${name}-`) && /^-([\w.]+)-(\d+)-\w{6}$/.exec(one.slice(name.length))) || []
    if (whose !== machine || runs(Number(pid))) continue
    const path = join(folder, one)
    await rm(path, { recursive: true, force: true }).then(
      () => removed.push(path),
      (error) => stays.push(`${path}: ${wordsOf(error)}`),
    )
  }
  return { removed, stays }
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM: it does, under another user.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { wordsOf } from '../../shared/errors.ts'

const machine = hostname().replaceAll(/[^\w.]/g, '') || 'x'

/** `.marshlight-MACHINE-PID-XXXXXX`: whose it is, so that the next one knows what a killed one left. */
export const makeWork = (folder: string): Promise<string> =>
  mkdtemp(join(folder, `.marshlight-${machine}-${process.pid}-`))

/**
 * Removes what processes of this machine left that were killed: copies of gigabytes, which may hold a claim. Another
 * machine that shares the folder may still be at work in its own. Gives what was removed, and in words what could not be.
 */
export async function clearLeft(folder: string): Promise<{ removed: string[]; stays: string[] }> {
  const removed: string[] = []
  const stays: string[] = []
  for (const name of await readdir(folder)) {
    const [, whose, pid] = /^\.marshlight-([\w.]+)-(\d+)-\w{6}$/.exec(name) ?? []
    if (whose !== machine || runs(Number(pid))) continue
    const path = join(folder, name)
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

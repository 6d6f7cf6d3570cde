import { writeFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { CliContext } from './context.ts'

const pollMs = 250
/** Without another part for so long nothing more is to be waited for. */
const patienceMs = 60_000

/** What an appliance said it sends: a file of so many parts. */
export type Announced = { sha256: string; parts: number; bytes: number }
export type ArrivalStanding = { sha256: string; whole: boolean; parts: number }

/** Waits until all of a file has come, which stands at `path`; then its bytes. Throws TIMEOUT. */
export async function arrived(cli: CliContext, path: string, { parts, bytes }: Announced): Promise<Uint8Array> {
  let [last, since] = [-1, Date.now()]
  for (;;) {
    const standing = await cli.api.get<ArrivalStanding>(path)
    if (standing.whole) return cli.api.bytes(`${path}/data`)
    if (standing.parts !== last) [last, since] = [standing.parts, Date.now()]
    if (Date.now() - since > patienceMs)
      throw new MarshlightError('TIMEOUT', {
        what: `the file: ${last} of ${parts} parts came, then none`,
        seconds: patienceMs / 1000,
        next: 'See `marshlight agents ls`.',
      })
    const share = Math.floor((100 * standing.parts) / parts)
    await cli.progress(`${share} % of ${(bytes / 1_048_576).toFixed(1)} MB has come`, pause(pollMs))
  }
}

/** Writes a new file that only its owner may read. Throws CONFLICT where one is there. `option`: by which it was named. */
export async function saveNew(path: string, bytes: Uint8Array, option: string): Promise<void> {
  try {
    await writeFile(path, bytes, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new MarshlightError('CONFLICT', { what: `${path} is there already`, next: 'Name another file.' })
    throw new MarshlightError('DISK_READ_ONLY', { path, why: wordsOf(error), option })
  }
}

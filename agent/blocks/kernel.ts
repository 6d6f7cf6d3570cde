import { MarshlightError } from '../../shared/errors.ts'
import type { Interval } from './intervals.ts'
import type { Nft } from './nft.ts'
import { planSteps, remaining, type Step } from './plan.ts'
import { parseReadBack, type ReadBack } from './read-back.ts'
import { chainsOf, changeScript, familyOf, type Role, rebuildScript, setName, tableName } from './ruleset.ts'

/** What differs between the kernel and what shall stand there. */
export type Deviation = { steps: Step[]; chains: string[] }

/**
 * Our table in the kernel.
 *
 *   bring: plan from the last read-back -> one transaction -> read back -> equal? done
 *                                                                        no    -> the whole table anew -> read back
 *
 * The last read-back is only a shortcut that saves a listing on the fast path; what counts is the one after.
 */
export function makeKernel({ nft, role, now }: { nft: Nft; role: Role; now: () => number }) {
  let seen: Interval[] | undefined

  const readSet = async (): Promise<Interval[]> =>
    parseReadBack(await nft.list(['set', familyOf(role), tableName, setName]), now()).intervals

  /** Makes the kernel hold exactly `desired`. Throws COMMAND_FAILED with the reason when it does not. */
  async function bring(desired: readonly Interval[], nics: readonly string[]): Promise<void> {
    if (seen) {
      try {
        await nft.apply(changeScript(role, nics, planSteps(seen, desired, now()), now()))
        seen = await readSet()
        if (remaining(seen, desired, now()).length === 0) return
      } catch {
        // Somebody changed the table under us, or an interval met another: the whole table anew settles both.
      }
    }
    seen = undefined
    await nft.apply(rebuildScript(role, nics, desired, now()))
    const after = await readSet()
    const left = remaining(after, desired, now())
    if (left.length > 0)
      throw new MarshlightError('COMMAND_FAILED', {
        command: 'nft',
        why: `${left.length} entries differ in the kernel after they were applied`,
        next: 'Look at `nft list ruleset`; another program may be changing it.',
      })
    seen = after
  }

  /** What differs right now, or undefined when nothing does. A missing table differs in everything. */
  async function deviation(desired: readonly Interval[], nics: readonly string[]): Promise<Deviation | undefined> {
    const back = await readTable()
    seen = undefined
    const chains = chainsOf(role, nics)
      .filter(({ name, rules }) => back.rules.get(name) !== rules.length)
      .map(({ name }) => name)
    const steps = remaining(back.intervals, desired, now())
    if (steps.length > 0 || chains.length > 0) return { steps, chains }
    seen = back.intervals
    return undefined
  }

  async function readTable(): Promise<ReadBack> {
    try {
      return parseReadBack(await nft.list(['table', familyOf(role), tableName]), now())
    } catch (error) {
      if (isMissing(error)) return { intervals: [], rules: new Map() }
      throw error
    }
  }

  async function remove(): Promise<void> {
    seen = undefined
    try {
      await nft.apply(`delete table ${familyOf(role)} ${tableName}\n`)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }

  return { bring, deviation, remove }
}

export type Kernel = ReturnType<typeof makeKernel>

/** nft's words for a table that is not there (a missing nft itself reads `spawn nft ENOENT`). */
const isMissing = (error: unknown): boolean => String(error).includes('No such file or directory')

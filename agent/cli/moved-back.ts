import { wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import { moveBack } from '../enrol/index.ts'
import { forgetBegun } from '../first-boot/begun.ts'

/** At a start: an identity that was set aside is the box's again where its key opens now. Never throws. */
export async function takeBack({ stateDir, log }: { stateDir: string; log: Log }): Promise<void> {
  try {
    // A claim that was begun since was not asked for yet, and is for who comes without an identity.
    const identity = await moveBack(stateDir, { before: () => forgetBegun(stateDir) })
    if (identity) log.warn({ agent: identity.agent }, 'the key of this box opens again: its identity is moved back')
  } catch (error) {
    const { code } = error as { code?: string }
    log.warn({ code, why: wordsOf(error) }, 'an identity was set aside, and stays there until the next start')
  }
}

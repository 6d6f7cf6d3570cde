import { wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import { moveBack } from '../enrol/index.ts'

/**
 * At a start: an identity that was set aside is the box's again where its key opens now, with its site's settings. Gives
 * whether it is. Never throws.
 */
export async function takeBack({ stateDir, log }: { stateDir: string; log: Log }): Promise<boolean> {
  try {
    const identity = await moveBack(stateDir)
    if (identity) log.warn({ agent: identity.agent }, 'the key of this box opens again: its identity is moved back')
    return identity !== undefined
  } catch (error) {
    const { code } = error as { code?: string }
    log.warn({ code, why: wordsOf(error) }, 'an identity was set aside, and stays there until the next start')
    return false
  }
}

import { MarshlightError } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import { type Identity, isNobodys, loadIdentity, setAside } from '../enrol/index.ts'

/** A TPM that failed so often one after the other, which takes some minutes, is not waited for where there is another way. */
const tpmTries = 10

/**
 * Who this box is, looked at anew each time. A TPM that does not answer now makes nobody's box of it: that is thrown,
 * told and tried again; where it lasts and a file is there that this box did not begin to use, the file is let in. What
 * is set aside for it, its site's settings too, is moved back at the next start where the TPM answers by then, as long as
 * the file brought no key.
 */
export function makeWho({ stateDir, log }: { stateDir: string; log: Log }) {
  let failures = 0
  return async (hasNewFile = false): Promise<Identity | undefined> => {
    try {
      const identity = await loadIdentity(stateDir)
      failures = 0
      return identity
    } catch (error) {
      if (!(error instanceof MarshlightError)) throw error
      if (error.code === 'TPM_FAILED') {
        if (++failures < tpmTries || !hasNewFile) throw error
        log.error(
          { code: error.code, why: error.message },
          'the identity is set aside, for a new enrolment file is there',
        )
        await setAside(stateDir, error.message)
      } else if (!isNobodys(error)) log.error({ code: error.code }, error.message)
      return undefined
    }
  }
}

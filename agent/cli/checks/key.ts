import { readIfThere } from '../../../shared/files.ts'
import { isSealed, keyPath, tpmHere } from '../../enrol/index.ts'
import { type Check, type Outcome, usualMs } from './check.ts'

/** Whether the key of this box lies in a file, or opens by its TPM alone. */
export const key: Check = {
  name: 'key',
  rests: ['enrolment'],
  withinMs: usualMs,
  async run({ identity, stateDir }) {
    const text = identity && (await readIfThere(keyPath(stateDir, identity.keyFile)))
    return judgeKey(text === undefined ? undefined : isSealed(text), tpmHere() !== undefined)
  },
}

export function judgeKey(sealed: boolean | undefined, hasTpm: boolean): Outcome {
  if (sealed === undefined) return { ok: true, detail: hasTpm ? 'the TPM here will hold it' : 'none yet' }
  if (sealed) return { ok: true, detail: 'held by the TPM of this box: its card is of no use in another' }
  if (!hasTpm) return { ok: true, detail: 'in a file: this box has no TPM' }
  return {
    ok: true,
    detail: 'in a file, though this box has a TPM',
    next: 'With the next renewal the TPM holds it. If it does not by then: `apt install tpm2-tools`.',
  }
}

import { MarshlightError } from '../../shared/errors.ts'
import type { Sql } from '../store/port.ts'
import type { DecoyActions, Done } from './actions.ts'
import { type Origin, readDecoy } from './records.ts'

/** What a change was, as `Done` told of it. */
export type Undoable = Pick<Done, 'decoy' | 'hostname'> & { made?: Done['made'] | undefined }

/** Takes changes of decoys back. Undefined where nothing is left of it to take back. */
export type Undo = {
  /** The decoy that was deployed leaves. */
  deploy(sql: Sql, was: Undoable, reason: string, by: Origin): Promise<Done | undefined>
  /**
   * The version that the decoy showed before is shown again. Throws CONFLICT where something later is shown, which would be
   * undone with it.
   */
  reconfigure(sql: Sql, was: Undoable, reason: string, by: Origin): Promise<Done | undefined>
}

export const makeUndo = (actions: Pick<DecoyActions, 'retire' | 'rollBack'>): Undo => ({
  async deploy(sql, { decoy }, reason, by) {
    const now = await readDecoy(sql, decoy)
    return now?.status === 'wanted' ? actions.retire(sql, decoy, reason, by) : undefined
  },
  async reconfigure(sql, { decoy, hostname, made }, reason, by) {
    const now = await readDecoy(sql, decoy)
    // One that is no more, or whose new version still waits for approval or was taken back already.
    if (now?.status !== 'wanted' || now.personaVersion === made?.before) return undefined
    if (made && now.personaVersion === made.version) return actions.rollBack(sql, decoy, made.before, reason, by)
    throw new MarshlightError('CONFLICT', {
      what: `${hostname} shows version ${now.personaVersion} of its persona, which came after this change`,
      next: `Choose a version: \`marshlight personas show ${hostname}\`, \`marshlight personas rollback ${hostname} VERSION\`.`,
    })
  },
})

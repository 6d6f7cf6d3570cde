import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { promisify } from 'node:util'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Slot, SystemSlots } from './system-slots.ts'

/** What an image with slots brings along (provisioning/image/slots.md): the only one who knows its bootloader. */
export const slotsProgram = '/usr/lib/marshlight/slots'

const run = promisify(execFile)
const writeWithinMs = 3_600_000
const withinMs = 60_000
/** A box that starts anew has its firmware and its system to start before the agent's time begins. */
const bootSeconds = 300
const next = 'Where it stays so, write a new image to the card.'

/** Undefined where this machine's system has no slots. Throws COMMAND_FAILED where they cannot be read. */
export async function programSlots(program = slotsProgram): Promise<SystemSlots | undefined> {
  if (
    !(await access(program, constants.X_OK).then(
      () => true,
      () => false,
    ))
  )
    return undefined
  const ask = async (args: string[], timeout = withinMs): Promise<string> => {
    try {
      return (await run(program, args, { timeout })).stdout
    } catch (error) {
      const { stderr } = error as { stderr?: string }
      const why = (stderr?.trim() || wordsOf(error)).slice(0, 300)
      throw new MarshlightError('COMMAND_FAILED', { command: `slots ${args[0]}`, why, next }, { cause: error })
    }
  }
  const shown = Object.fromEntries((await ask(['show'])).split('\n').map((line) => line.split('=', 2))) as {
    running?: string
    version?: string
  }
  const slot: Slot | undefined = shown.running === 'A' || shown.running === 'B' ? shown.running : undefined
  if (!slot) throw new MarshlightError('COMMAND_FAILED', { command: 'slots show', why: 'no slot runs', next })
  const version = /^[0-9A-Za-z][0-9A-Za-z.+~-]{0,63}$/.test(shown.version ?? '') ? shown.version : undefined
  return {
    booted: () => ({ slot, ...(version !== undefined && { version }) }),
    async write(file) {
      await ask(['write', file], writeWithinMs)
    },
    async setTrial(withinSeconds) {
      await ask(['try', String(withinSeconds + bootSeconds)])
    },
    async confirm() {
      await ask(['confirm'])
    },
    async clearTrial() {
      await ask(['forget'])
    },
  }
}

import { wordsOf } from '../../shared/errors.ts'
import { readTyped, type TypedCode } from '../enrol/index.ts'

/** Each costs the box a connection, to wherever somebody on this line says, and a second of its processor. */
const mostTries = 30

/** Where a code waits that was typed at the status page, until first boot takes it: one at a time. */
export function makeTypedHere() {
  let waits: TypedCode | undefined
  let tries = 0
  return {
    /** Takes what somebody typed, or says in words why not. */
    offer(controller: string, code: string): string | undefined {
      if (waits) return 'The box is at a code already: wait a minute.'
      if (tries >= mostTries) return 'Too many codes were typed: switch the box off and on again.'
      if (controller.trim() === '' && !/[.:]/.test(code)) return 'The address of the controller is missing.'
      try {
        waits = readTyped(code, controller)
        tries++
        return undefined
      } catch (error) {
        return wordsOf(error)
      }
    },
    take(): TypedCode | undefined {
      const taken = waits
      waits = undefined
      return taken
    },
  }
}

import { createInterface } from 'node:readline'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { readTyped, type TypedCode, typedBefore } from '../enrol/index.ts'
import type { Terminal } from './print.ts'

type Input = NodeJS.ReadableStream & { isTTY?: boolean }
const longest = 200
const tries = 5

/**
 * The code that somebody types, or that comes in one line; never an argument, which others on this machine see. At a
 * terminal a mistyped one is asked for again. An empty line means the one of before, where this box goes on with it.
 * Throws CODE_MISTYPED, USAGE.
 */
export async function codeFrom(
  input: Input,
  terminal: Terminal,
  o: { stateDir: string; controller?: string },
): Promise<TypedCode> {
  const before = await typedBefore(o.stateDir)
  const controller = o.controller ?? before?.controller
  const asks = input.isTTY === true
  const lines = createInterface({ input, terminal: false })
  try {
    if (asks) terminal.err(`Code${before ? ' (empty: the one typed before)' : ''}, capital or small letters:`)
    let left = tries
    for await (const line of lines) {
      const typed = line.trim().slice(0, longest)
      if (typed === '' && before) return { ...before, ...(controller && { controller }) }
      try {
        return readTyped(typed, controller)
      } catch (error) {
        if (!asks || --left === 0 || (error as { code?: string }).code === 'USAGE') throw error
        terminal.err(`${wordsOf(error)}. Once more:`)
      }
    }
  } finally {
    lines.close()
  }
  throw new MarshlightError('CODE_MISTYPED', { where: ': there is none' })
}

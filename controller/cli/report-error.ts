import { CommanderError } from 'commander'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { plainly } from '../../shared/system-errors.ts'
import { forTerminal, jsonForTerminal } from '../../shared/terminal.ts'

/** Says on the error stream what went wrong and what to do next. Gives the command's exit code: 2 for a command that was written wrongly. */
export function reportError(thrown: unknown, json: boolean): number {
  const error = plainly(thrown)
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (!(error instanceof MarshlightError)) {
    process.stderr.write(`marshlight: ${forTerminal(wordsOf(error))}\n`)
    return 1
  }
  const { code, message, next } = error
  if (json) process.stderr.write(`${jsonForTerminal({ error: { code, message, next } })}\n`)
  else process.stderr.write(`marshlight: ${forTerminal(message)}\n  ${forTerminal(next)}\n`)
  return code === 'USAGE' ? 2 : 1
}

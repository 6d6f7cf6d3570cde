import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { plainly } from '../../shared/system-errors.ts'
import { forTerminal, jsonForTerminal } from '../../shared/terminal.ts'

/** Where a command writes: standard output for what was asked for, standard error for all else. */
export type Terminal = { out(line: string): void; err(line: string): void }

export const systemTerminal: Terminal = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
}

export const asJson = (value: unknown): string => jsonForTerminal(value, 2)

/** Rows of label and value, aligned. */
export function details(pairs: readonly (readonly [string, string | number | undefined])[]): string {
  const width = Math.max(...pairs.map(([label]) => label.length))
  return pairs
    .map(([label, value]) => `${label.padEnd(width)}  ${value === undefined ? '-' : forTerminal(String(value))}`)
    .join('\n')
}

/** What went wrong, the value, and the next step. */
export function printError(terminal: Terminal, thrown: unknown, json: boolean): void {
  const error = plainly(thrown)
  const known = error instanceof MarshlightError
  const told = {
    code: known ? error.code : 'INTERNAL',
    message: known ? error.message : wordsOf(error),
    next: known ? error.next : 'This is a fault of the program: please report it.',
  }
  if (json) terminal.out(asJson({ error: told }))
  else terminal.err(`error: ${forTerminal(told.message)} [${told.code}]\n  -> ${forTerminal(told.next)}`)
}

/** Of a box that was taken back and forgot all: not to be started again until it enrols (RestartPreventExitStatus=3). */
export const exitWiped = 3

/** 2 for a wrong use of the command, 3 for a box that was taken back, 1 for what failed: also a wipe that is not over. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof MarshlightError)) return 1
  if (error.code === 'USAGE') return 2
  return error.code === 'WIPED' && error.details.left === undefined ? exitWiped : 1
}

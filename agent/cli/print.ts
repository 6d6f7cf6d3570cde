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

/** 2 for a wrong use of the command, 1 for what failed. */
export const exitCodeOf = (error: unknown): number =>
  error instanceof MarshlightError && error.code === 'USAGE' ? 2 : 1

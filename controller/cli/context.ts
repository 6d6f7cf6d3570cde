import type { Command } from 'commander'
import type { ApiClient } from './client.ts'

/** What a command is given. */
export type CliContext = {
  /** The API of the running controller; connects at the first call. */
  api: ApiClient
  /** Whether `--json` was given (a global option). */
  json(): boolean
  /** Prints `value` as one JSON document with --json, else runs `human`. */
  show<T>(value: T, human: (value: T) => void): void
  /** A table that fits the terminal: the widest columns are cut with an ellipsis. Cells are made safe for the terminal. */
  table(columns: readonly string[], rows: readonly (readonly (string | number | undefined)[])[]): void
  /** Label and value lines. Values are made safe for the terminal. */
  details(pairs: readonly (readonly [string, string | number | undefined])[]): void
  line(text: string): void
  /** For text of our own that may carry colours or newlines; never for text from outside. */
  raw(text: string): void
  /** Shows that something is going on, on standard error, when it takes over a second. */
  progress<T>(what: string, work: Promise<T>): Promise<T>
}

/** One file a command: adds itself to the program. */
export type CliCommand = (program: Command, cli: CliContext) => void

import type { Command } from 'commander'

/** Prints `value` as JSON with --json, else the lines, each made safe for the terminal. */
export type Show = (value: unknown, lines: readonly string[]) => void

/** One file a command: adds itself to the group. */
export type ImageCommand = (group: Command, show: Show) => Command

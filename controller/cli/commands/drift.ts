import type { Command } from 'commander'
import type { CliCommand } from '../context.ts'

/** Deviations of decoys. Other files hang their commands below it. */
export const driftCommand: CliCommand = (program) => {
  program.command('drift').description('Deviations of decoys’ behaviour: made on purpose, found, and what they do.')
}

/** The command `drift`, to hang others below it. */
export function driftGroup(program: Command): Command {
  const group = program.commands.find((one) => one.name() === 'drift')
  if (!group) throw new Error('the command `drift` has to be there first')
  return group
}

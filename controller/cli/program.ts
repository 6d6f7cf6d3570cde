import { Command } from 'commander'
import { onReaderGone } from '../../shared/terminal.ts'
import { completionCommand } from './commands/completion.ts'
import type { CliCommand } from './context.ts'
import { defaultDataDir, makeContext } from './make-context.ts'
import { reportError } from './report-error.ts'

/** The program with these commands, which throws where commander would end the process. */
export function makeProgram(commands: readonly CliCommand[]): Command {
  const program = new Command('marshlight')
    .description('The controller of a Marshlight deception network.')
    // Else lists of commands with long arguments run past 80 columns.
    .configureHelp({ minWidthToWrap: 20 })
    .option('--json', 'print one JSON document instead of tables')
    .option('--data <dir>', 'the controller’s data folder', defaultDataDir())
    .option('--api <url|socket>', 'another controller’s API')
    .showHelpAfterError('See `marshlight --help`.')
    .addHelpText(
      'after',
      `
Examples:
  marshlight init --host 10.0.0.5        make keys, configuration and database
  marshlight serve                       run the controller
  marshlight agents invite --site hq --segment office
  marshlight alerts follow               watch what happens
  marshlight image --help                packages for appliances`,
    )
  const cli = makeContext(program)
  for (const command of [...commands, completionCommand]) command(program, cli)
  throwInsteadOfExit(program)
  nameListsTwice(program)
  refuseUnknownWords(program)
  return program
}

/** Exit codes: 0 done, 1 failed, 2 wrong usage. */
export async function runProgram(argv: readonly string[], commands: readonly CliCommand[]): Promise<number> {
  onReaderGone(process.stdout, argv.includes('serve'))
  const program = makeProgram(commands)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return reportError(error, program.opts<{ json?: boolean }>().json === true)
  }
}

function throwInsteadOfExit(command: Command): void {
  command.exitOverride()
  for (const child of command.commands) throwInsteadOfExit(child)
}

/** `list` is the same as `ls`, everywhere. */
function nameListsTwice(command: Command): void {
  if (command.name() === 'ls') command.alias('list')
  for (const child of command.commands) nameListsTwice(child)
}

/** A group lists without a command; a word that is no command of it shall be called that, not an argument of the list. */
function refuseUnknownWords(group: Command): void {
  for (const child of group.commands) {
    refuseUnknownWords(child)
    if (group.parent === null || child.name() !== 'ls' || child.registeredArguments.length > 0) continue
    child.allowExcessArguments().hook('preAction', () => {
      const [word] = child.args
      if (word === undefined) return
      const names = group.commands.map((one) => one.name()).join(', ')
      group.error(`error: ${group.name()} has no command '${word}', only ${names}.`)
    })
  }
}

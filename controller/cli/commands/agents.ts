import type { CliCommand } from '../context.ts'
import { changeCommands } from './agents-change.ts'
import { inviteCommand } from './agents-invite.ts'
import { logsCommand } from './agents-logs.ts'
import { listCommand } from './agents-ls.ts'
import { placeCommands } from './agents-places.ts'
import { remoteCommands } from './agents-remote.ts'
import { replaceCommand } from './agents-replace.ts'
import { showCommand } from './agents-show.ts'
import { waitingCommands } from './agents-waiting.ts'

/** `marshlight agents`: the appliances. */
export const agentsCommand: CliCommand = (program, cli) => {
  const agents = program.command('agents').description('appliances: who is enrolled and how they are')
  for (const add of [
    listCommand,
    showCommand,
    logsCommand,
    remoteCommands,
    inviteCommand,
    replaceCommand,
    waitingCommands,
    placeCommands,
    changeCommands,
  ])
    add(agents, cli)
}

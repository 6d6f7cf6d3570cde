import type { CliCommand } from '../context.ts'
import { changeCommands } from './agents-change.ts'
import { inviteCommands } from './agents-invite.ts'
import { listCommand } from './agents-ls.ts'
import { showCommand } from './agents-show.ts'
import { waitingCommands } from './agents-waiting.ts'

/** `marshlight agents`: the appliances. */
export const agentsCommand: CliCommand = (program, cli) => {
  const agents = program.command('agents').description('appliances: who is enrolled and how they are')
  for (const add of [listCommand, showCommand, inviteCommands, waitingCommands, changeCommands]) add(agents, cli)
}

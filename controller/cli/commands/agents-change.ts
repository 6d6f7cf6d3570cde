import type { Command } from 'commander'
import { type Agent, agentPath, dry } from '../agent-path.ts'
import type { CliContext } from '../context.ts'

/** `marshlight agents revoke|rename|remove`. */
export function changeCommands(agents: Command, cli: CliContext): void {
  agents
    .command('revoke <agent>')
    .description('cut it off, at once')
    .addHelpText('after', '\nExample:\n  marshlight agents revoke office-1 --reason "box was stolen" --dry-run')
    .option('--reason <text>', 'why')
    .option('--dry-run', 'only say what would happen')
    .action(async (agent: string, options) => {
      const body = options.reason ? { reason: options.reason } : {}
      const done = await cli.api.post<Agent>(agentPath(agent, `/revoke${dry(options)}`), body)
      cli.show(done, ({ name }) => cli.line(`${options.dryRun ? 'Would revoke' : 'Revoked'} ${name}.`))
    })

  agents
    .command('rename <agent> <name>')
    .description('give it another name')
    .addHelpText('after', '\nExample:\n  marshlight agents rename office-1 reception')
    .option('--dry-run', 'only say what would happen')
    .action(async (agent: string, name: string, options) => {
      const done = await cli.api.put<Agent>(agentPath(agent, dry(options)), { name })
      cli.show(done, () => cli.line(`${options.dryRun ? 'Would rename' : 'Renamed'} ${agent} to ${name}.`))
    })

  agents
    .command('remove <agent>')
    .description('forget a revoked one')
    .addHelpText('after', '\nExample:\n  marshlight agents remove office-1')
    .option('--dry-run', 'only say what would happen')
    .action(async (agent: string, options) => {
      const done = await cli.api.delete<Agent>(agentPath(agent, dry(options)))
      cli.show(done, ({ name }) => cli.line(`${options.dryRun ? 'Would remove' : 'Removed'} ${name}.`))
    })
}

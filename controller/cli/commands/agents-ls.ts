import type { Command } from 'commander'
import type { Agent } from '../agent-path.ts'
import type { CliContext } from '../context.ts'
import { shownTime } from '../shown-time.ts'

/** `marshlight agents ls`: who is there. */
export function listCommand(agents: Command, cli: CliContext): void {
  agents
    .command('ls', { isDefault: true })
    .description('list them')
    .addHelpText('after', '\nExamples:\n  marshlight agents\n  marshlight agents ls --json')
    .action(async () => {
      const { items } = await cli.api.get<{ items: Agent[] }>('/v1/agents')
      cli.show(items, () =>
        cli.table(
          ['NAME', 'SEGMENT', 'STATUS', 'LAST SEEN', 'ROLES'],
          items.map((agent) => [
            agent.name,
            agent.segments.map(({ name }) => name).join(', '),
            agent.status === 'enrolled' ? agent.presence : agent.status,
            shownTime(agent.lastSeen ?? undefined),
            agent.roles.join(', '),
          ]),
        ),
      )
    })
}

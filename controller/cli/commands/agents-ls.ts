import { type Command, Option } from 'commander'
import type { Agent } from '../agent-path.ts'
import type { CliContext } from '../context.ts'
import { withQuery } from '../duration.ts'
import { shownTime } from '../shown-time.ts'

type Listed = Agent & { deviations?: { what: string; has: string; should: string }[] }
type Options = { site?: string; segment?: string; tag?: string; state?: string; version?: string; drifted?: true }

/** `marshlight agents ls`: who is there. */
export function listCommand(agents: Command, cli: CliContext): void {
  agents
    .command('ls', { isDefault: true })
    .description('list them')
    .option('--site <name>', 'only of this site')
    .option('--segment <name>', 'only of this segment, as office or hq/office')
    .option('--tag <tag>', 'only with this tag')
    .addOption(
      new Option('--state <state>', 'only those that are').choices(['online', 'offline', 'unknown', 'revoked']),
    )
    .option('--version <version>', 'only with this version')
    .option('--drifted', 'only those that differ from what they should be, and in what')
    .addHelpText(
      'after',
      `
Examples:
  marshlight agents
  marshlight agents ls --site hq --tag canary --state offline
  marshlight agents ls --drifted
  marshlight agents ls --json | jq -r '.[].name'`,
    )
    .action(async (options: Options) => {
      const { items } = await cli.api.get<{ items: Listed[] }>(withQuery('/v1/agents', { ...options }))
      cli.show(items, () => (options.drifted ? drifted(items) : list(items)))
    })

  const list = (items: Listed[]) =>
    cli.table(
      ['NAME', 'SEGMENT', 'STATUS', 'LAST SEEN', 'VERSION', 'TAGS'],
      items.map((agent) => [
        agent.name,
        agent.segments.map(({ name }) => name).join(', '),
        agent.status === 'enrolled' ? agent.presence : agent.status,
        shownTime(agent.lastSeen ?? undefined),
        agent.version ?? undefined,
        agent.tags?.join(' '),
      ]),
    )

  const drifted = (items: Listed[]) =>
    cli.table(
      ['NAME', 'WHAT', 'HAS', 'SHOULD'],
      items.flatMap(({ name, deviations = [] }) =>
        deviations.map(({ what, has, should }) => [name, what, has, should]),
      ),
    )
}

import { type Command, Option } from 'commander'
import { writeFileAtomic } from '../../../shared/files.ts'
import { agentPath, dry } from '../agent-path.ts'
import type { CliContext } from '../context.ts'
import { shownTime } from '../shown-time.ts'

type Invitation = { token: string; segment: string; expiresAt: string; controller: string }

/** `marshlight agents invite|replace`: tokens by which a box comes in. */
export function inviteCommands(agents: Command, cli: CliContext): void {
  async function handOver(items: Invitation[], first: Invitation, out: string | undefined): Promise<void> {
    const tokens = items.map(({ token }) => token)
    if (out) await writeFileAtomic(out, `${tokens.join('\n')}\n`, 0o600)
    cli.show(out ? items.map(({ token: _token, ...rest }) => rest) : items, () => {
      if (!out) for (const token of tokens) cli.line(token)
      const how = out ? `--token-file ${out}` : '--token TOKEN'
      process.stderr.write(
        `Serves once, until ${shownTime(first.expiresAt)}. On the appliance:\n  marshlight-agent enrol --controller ${first.controller} ${how}\n`,
      )
    })
  }

  agents
    .command('invite')
    .description('make a token for a new one')
    .requiredOption('--segment <name>', 'the segment it will stand in; made if new')
    .option('--site <name>', 'the site of the segment; made if new', 'main')
    .option('--name <name>', 'its name; else that of its machine')
    .addOption(new Option('--role <role...>', 'what it may do').choices(['decoys', 'enforcer']).default(['decoys']))
    .option('--count <n>', 'how many tokens', Number, 1)
    .option('--hours <n>', 'how long a token is good', Number, 24)
    .option('--from <network...>', 'where it may be used from, as 198.18.3.0/24')
    .option('--out <file>', 'write the token to a file that only you can read, one a line')
    .option('--dry-run', 'only say what would be made')
    .addHelpText(
      'after',
      `
Examples:
  marshlight agents invite --site hq --segment office
  marshlight agents invite --segment dmz --role enforcer --out token.txt`,
    )
    .action(async (options) => {
      const { site, segment, name, role: roles, count, hours, from } = options
      const body = { site, segment, ...(name && { name }), roles, count, hours, ...(from && { from }) }
      const { items } = await cli.api.post<{ items: Invitation[] }>(`/v1/agents/invite${dry(options)}`, body)
      const [first] = items
      if (options.dryRun || !first)
        return cli.show(items, () =>
          cli.line(`Would make ${items.length} token(s) for segment ${segment} of site ${site}.`),
        )
      await handOver(items, first, options.out)
    })

  agents
    .command('replace <agent>')
    .description('make a token by which another box takes its place')
    .option('--now', 'cut the old box off now, not when the new one comes')
    .option('--hours <n>', 'how long the token is good', Number, 24)
    .option('--out <file>', 'write the token to a file that only you can read')
    .option('--dry-run', 'only say what would happen')
    .addHelpText(
      'after',
      `
The new box has the name, segments, roles and decoys of the old one, whose
certificate ends; the old box wipes itself when it next hears of it.

Example:
  marshlight agents replace office-1 --out token.txt`,
    )
    .action(async (agent: string, options) => {
      const body = { hours: options.hours, atOnce: options.now === true }
      const made = await cli.api.post<Invitation & { name: string }>(agentPath(agent, `/replace${dry(options)}`), body)
      if (options.dryRun)
        return cli.show(made, ({ name, segment }) =>
          cli.line(`Would make a token for a box that takes the place of ${name} in ${segment}.`),
        )
      await handOver([made], made, options.out)
    })
}

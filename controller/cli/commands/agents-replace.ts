import type { Command } from 'commander'
import { writeFileAtomic } from '../../../shared/files.ts'
import type { Invited } from '../../handover/index.ts'
import { agentPath, dry } from '../agent-path.ts'
import type { CliContext } from '../context.ts'
import { showTokens } from '../invitations.ts'

/** `marshlight agents replace`: a claim by which another box becomes an agent that is there. */
export function replaceCommand(agents: Command, cli: CliContext): void {
  agents
    .command('replace <agent>')
    .description('make a token by which another box takes its place')
    .option('--now', 'cut the old box off now, not when the new one comes')
    .option('--hours <n>', 'how long the token is good', Number, 24)
    .option('--anywhere', 'also elsewhere than in the segments that it stands in')
    .option('--out <file>', 'write the token to a file that only you can read')
    .option('--code', 'a code too, which can be typed at the box')
    .option('--code-minutes <n>', 'how long a code is good', Number, 60)
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
      const body = {
        hours: options.hours,
        atOnce: options.now === true,
        ...(options.anywhere && { anywhere: true }),
        ...(options.code && { codeMinutes: options.codeMinutes }),
      }
      const made = await cli.api.post<Invited>(agentPath(agent, `/replace${dry(options)}`), body)
      if (options.dryRun)
        return cli.show(made, ({ name, segment }) =>
          cli.line(`Would make a token for a box that takes the place of ${name} in ${segment}.`),
        )
      if (options.out) await writeFileAtomic(options.out, `${made.token}\n`, 0o600)
      await showTokens(cli, [made], { out: options.out, qr: false })
    })
}

import type { Command } from 'commander'
import type { SiteTemplate } from '../../fleet/index.ts'
import type { CliContext } from '../context.ts'
import { planFrom } from '../plan-file.ts'
import { shownTime } from '../shown-time.ts'

type DryRun = { dryRun?: true }
const path = (name: string, options: DryRun = {}) =>
  `/v1/site-templates/${encodeURIComponent(name)}${options.dryRun ? '?dryRun=1' : ''}`

/** `marshlight sites template`: plans that sites are planned from. */
export function templateCommands(sites: Command, cli: CliContext): void {
  const templates = sites.command('template').description('what sites of a kind shall have')

  templates
    .command('ls', { isDefault: true })
    .description('all of them')
    .addHelpText('after', '\nExample:\n  marshlight sites template ls')
    .action(async () => {
      cli.show(await cli.api.get<{ items: SiteTemplate[] }>('/v1/site-templates'), ({ items }) =>
        cli.table(
          ['TEMPLATE', 'SEGMENTS', 'BOXES', 'TAGS', 'CHANGED'],
          items.map(({ name, plan: { segments, tags }, changedAt }) => [
            name,
            segments.map((one) => one.name).join(' '),
            segments.reduce((sum, { appliances }) => sum + appliances, 0),
            tags.join(' ') || undefined,
            shownTime(changedAt),
          ]),
        ),
      )
    })

  templates
    .command('show <name>')
    .description('one of them, as it is written in a file')
    .addHelpText('after', '\nExample:\n  marshlight sites template show branch-office > branch.json')
    .action(async (name: string) => {
      const found = await cli.api.get<SiteTemplate>(path(name))
      cli.show(found, ({ plan }) => cli.raw(`${JSON.stringify(plan, null, 2)}\n`))
    })

  templates
    .command('save <name>')
    .description('keep a plan by a name; sites made from it before stay as they are')
    .requiredOption('--file <file>', 'the plan, as `sites plan` takes it (- for standard input)')
    .option('--dry-run', 'only check it')
    .addHelpText('after', '\nExample:\n  marshlight sites template save branch-office --file branch.json')
    .action(async (name: string, options: DryRun & { file: string }) => {
      const done = await cli.api.put<SiteTemplate>(path(name, options), await planFrom(options.file))
      cli.show(done, () => cli.line(`${options.dryRun ? 'Would save' : 'Saved'} template ${name}.`))
    })

  templates
    .command('remove <name>')
    .description('forget it')
    .option('--dry-run', 'only say what would happen')
    .addHelpText('after', '\nExample:\n  marshlight sites template remove branch-office')
    .action(async (name: string, options: DryRun) => {
      const done = await cli.api.delete<SiteTemplate>(path(name, options))
      cli.show(done, () => cli.line(`${options.dryRun ? 'Would remove' : 'Removed'} template ${name}.`))
    })
}

import { MarshlightError } from '../../../shared/errors.ts'
import type { ShownSite } from '../../api/routes/sites.ts'
import type { CliCommand, CliContext } from '../context.ts'
import { planFrom } from '../plan-file.ts'
import { templateCommands } from './sites-template.ts'

type DryRun = { dryRun?: true }
const path = (site: string, rest = '') => `/v1/sites/${encodeURIComponent(site)}${rest}`
const dry = (options: DryRun) => (options.dryRun ? '?dryRun=1' : '')

/** `marshlight sites`: what each site shall have, and has. */
export const sitesCommand: CliCommand = (program, cli) => {
  const sites = program.command('sites').description('sites: what they shall have, also before a box is there')

  sites
    .command('ls', { isDefault: true })
    .description('all sites')
    .addHelpText('after', '\nExamples:\n  marshlight sites\n  marshlight sites ls --json')
    .action(async () => {
      cli.show(await cli.api.get<{ items: ShownSite[] }>('/v1/sites'), ({ items }) =>
        cli.table(
          ['SITE', 'SEGMENTS', 'BOXES', 'ONLINE', 'PLANNED', 'TEMPLATE', 'DIFFERS'],
          items.map((one) => {
            const boxes = new Map(one.has.flatMap((segment) => segment.boxes.map((box) => [box.name, box])))
            const planned = one.plan?.segments.reduce((sum, { appliances }) => sum + appliances, 0)
            const online = [...boxes.values()].filter((box) => box.online).length
            const differs = one.plan ? one.differences.length : undefined
            return [one.name, one.has.length, boxes.size, online, planned, one.template ?? undefined, differs]
          }),
        ),
      )
    })

  sites
    .command('show <site>')
    .description('its segments: what is planned, and what is there')
    .addHelpText('after', '\nExample:\n  marshlight sites show hq')
    .action(async (site: string) => {
      cli.show(await cli.api.get<ShownSite>(path(site)), (one) => {
        cli.details([
          ['site', one.name],
          ['planned', one.plan ? (one.template ? `from template ${one.template}` : 'yes') : 'no'],
          ['tags of its boxes', one.plan?.tags.join(' ') || undefined],
        ])
        cli.line('')
        const plans = new Map(one.plan?.segments.map((segment) => [segment.name, segment]))
        cli.table(
          ['SEGMENT', 'NETWORK', 'BOXES', 'PLANNED', 'DECOYS', 'PLANNED', 'DRIFT', 'TAGS', 'FAMILIES'],
          one.has.map((segment) => {
            const plan = plans.get(segment.name)
            const boxes = segment.boxes.map(({ name }) => name).join(' ')
            return [
              ...[segment.name, segment.cidr ?? plan?.cidr, boxes || undefined, plan?.appliances],
              ...[`${segment.decoys.ready}/${segment.decoys.wanted}`, plan?.decoys],
              ...[plan?.drift, plan?.tags.join(' ') || undefined, plan?.families?.join(' ')],
            ]
          }),
        )
        if (one.differences.length > 0) cli.line(`\nIt differs from its plan: \`marshlight sites diff ${one.name}\`.`)
      })
    })

  sites
    .command('diff <site>')
    .description('in what it differs from its plan')
    .addHelpText('after', '\nExit code 1 where it differs.\n\nExample:\n  marshlight sites diff hq')
    .action(async (site: string) => {
      const found = await cli.api.get<ShownSite>(path(site))
      if (!found.plan)
        throw new MarshlightError('CONFLICT', {
          what: `${found.name} is not planned`,
          next: 'Plan it: `marshlight sites plan`.',
        })
      cli.show(found.differences, (all) =>
        all.length === 0 ? cli.line(`${found.name} is as it is planned.`) : showDifferences(cli, found),
      )
      if (found.differences.length > 0) process.exitCode = 1
    })

  sites
    .command('plan <site>')
    .description('say what it shall have; made if new')
    .option('--template <name>', 'as this template says')
    .option('--file <file>', 'as this file says (JSON; - for standard input)')
    .option('--dry-run', 'only say how it would differ')
    .addHelpText(
      'after',
      `
Boxes that claim in one of its segments, or are moved there, get its tags and
as many decoys. The file:
  { "tags": ["retail"],
    "segments": [{ "name": "office", "appliances": 1, "decoys": 4,
                   "cidr": "10.1.0.0/24", "tags": ["canary"] }] }
Of a segment only the name is needed. "families" says what its decoys pretend
to be (\`marshlight personas catalogue\`); "drift": "none" keeps adaptation from
giving attackers drift there from then on (what they meet already ends within
adaptation.keepHours). Rings of updates are drawn by tags.

Examples:
  marshlight sites plan berlin --template branch-office
  marshlight sites plan hq --file hq.json --dry-run`,
    )
    .action(async (site: string, options: DryRun & { template?: string; file?: string }) => {
      const { template, file } = options
      if ((template === undefined) === (file === undefined))
        throw new MarshlightError('USAGE', { what: 'give --template or --file', command: 'marshlight sites plan' })
      const body = file === undefined ? { template } : { plan: await planFrom(file) }
      const done = await cli.api.put<ShownSite>(path(site, `/plan${dry(options)}`), body)
      cli.show(done, () => {
        cli.line(`${options.dryRun ? 'Would plan' : 'Planned'} ${done.name}: ${done.plan?.segments.length} segments.`)
        if (done.differences.length > 0) showDifferences(cli, done)
      })
    })

  sites
    .command('unplan <site>')
    .description('forget its plan; what stands there stays')
    .option('--dry-run', 'only say what would happen')
    .addHelpText('after', '\nExample:\n  marshlight sites unplan hq')
    .action(async (site: string, options: DryRun) => {
      const done = await cli.api.delete<ShownSite>(path(site, `/plan${dry(options)}`))
      cli.show(done, ({ name }) => cli.line(`${options.dryRun ? 'Would forget' : 'Forgot'} the plan of ${name}.`))
    })

  templateCommands(sites, cli)
}

const showDifferences = (cli: CliContext, { differences }: ShownSite): void =>
  cli.table(
    ['WHERE', 'WHAT', 'HAS', 'SHOULD'],
    differences.map(({ where, what, has, should }) => [where, what, has, should]),
  )

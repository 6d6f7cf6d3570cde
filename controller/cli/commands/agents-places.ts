import { writeFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { MarshlightError } from '../../../shared/errors.ts'
import type { Moved } from '../../fleet/index.ts'
import { type Agent, agentPath, dry } from '../agent-path.ts'
import type { CliContext } from '../context.ts'
import { csvText } from '../csv.ts'
import { wrapped } from '../print.ts'

type DryRun = { dryRun?: true }

/** `marshlight agents tag|move|accept|export`: what people say of boxes, and all of it as a list. */
export function placeCommands(agents: Command, cli: CliContext): void {
  agents
    .command('tag <agent> <change...>')
    .description('give it tags (+x), take some away (-x)')
    // Else -x would be an option.
    .allowUnknownOption()
    .option('--dry-run', 'only say what it would have')
    .addHelpText(
      'after',
      `
Tags group boxes: \`agents ls --tag\`, and rings of updates.

Examples:
  marshlight agents tag office-1 +canary +floor-2
  marshlight agents tag office-1 +retail -canary`,
    )
    .action(async (agent: string, changes: string[], options: DryRun) => {
      const of = (sign: string) => changes.filter((one) => one.startsWith(sign)).map((one) => one.slice(1))
      const [add, remove] = [of('+'), of('-')]
      if (add.length + remove.length < changes.length)
        throw new MarshlightError('USAGE', {
          what: `${changes.find((one) => !/^[+-]/.test(one))} is neither +tag nor -tag`,
          command: 'marshlight agents tag',
        })
      const done = await cli.api.post<Agent>(agentPath(agent, `/tags${dry(options)}`), { add, remove })
      const has = done.tags?.join(' ') || 'no tags'
      cli.show(done, ({ name }) => cli.line(wrapped(`${name} ${options.dryRun ? 'would have' : 'has'}: ${has}`, 2)))
    })

  agents
    .command('move <agent>')
    .description('to another segment, with its duties')
    .requiredOption('--site <name>', 'the site; made if new')
    .requiredOption('--segment <name>', 'the segment; made if new')
    .option('--stays', 'it is not carried: only its place is called otherwise')
    .option('--dry-run', 'only say what would happen')
    .addHelpText(
      'after',
      `
Its decoys leave the old segment. Carry the box and plug it in: it tells where
it stands, and the new segment gets decoys of its own. With --stays they are
placed at once. Name, certificate and tags given by people stay.

Examples:
  marshlight agents move office-1 --site hq --segment dmz --dry-run
  marshlight agents move office-1 --site berlin --segment office --stays`,
    )
    .action(async (agent: string, { site, segment, stays, dryRun }) => {
      const body = { site, segment, stays: stays === true }
      const moved = await cli.api.post<Moved>(agentPath(agent, `/move${dry({ dryRun })}`), body)
      cli.show(moved, () => movedWords(moved, { dryRun, stays: body.stays }))
    })

  function movedWords({ name, from, to, retired }: Moved, o: { dryRun: boolean; stays: boolean }): void {
    const [goes, leaves] = o.dryRun ? ['Would move', 'would leave'] : ['Moved', 'leaves']
    cli.line(wrapped(`${goes} ${name} from ${from.join(', ') || 'nowhere'} to ${to}.`, 2))
    for (const { hostname, ip, segment } of retired)
      cli.line(wrapped(`  decoy ${hostname} ${leaves} ${ip} (${segment})`, 4))
    cli.line(
      wrapped(
        o.stays
          ? 'New ones are placed once its hosts are known there.'
          : 'Plug it in there: it tells its network, and new decoys are placed.',
        2,
      ),
    )
  }

  agents
    .command('accept <agent>')
    .description('take its present configuration (agent.json) for the right one')
    .option('--dry-run', 'only say what would happen')
    .addHelpText('after', '\nExample:\n  marshlight agents accept office-1')
    .action(async (agent: string, options: DryRun) => {
      const done = await cli.api.post<Agent>(agentPath(agent, `/accept${dry(options)}`))
      cli.show(done, ({ name }) =>
        cli.line(`${options.dryRun ? 'Would hold' : 'Holds'} ${name} to the configuration it has.`),
      )
    })

  agents
    .command('export')
    .description('the inventory: every box, a line each')
    .addOption(new Option('--format <format>', 'of the list').choices(['csv', 'json']).default('csv'))
    .option('--out <file>', 'write it to FILE, else to standard output')
    .addHelpText(
      'after',
      `
Columns stay where they are; new ones come at the end (docs/inventory.md).

Examples:
  marshlight agents export > boxes.csv
  marshlight agents export --format json --out boxes.json`,
    )
    .action(async ({ format, out }: { format: 'csv' | 'json'; out?: string }) => {
      const { items } = await cli.api.get<{ items: Record<string, string | number | null>[] }>('/v1/agents/inventory')
      const asJson = format === 'json' || cli.json()
      if (out === undefined && asJson) return cli.show(items, () => cli.raw(`${JSON.stringify(items, null, 2)}\n`))
      const text = asJson ? `${JSON.stringify(items, null, 2)}\n` : csvText(items)
      if (out === undefined) return cli.raw(text)
      await writeFile(out, text, { mode: 0o600 })
      cli.line(`${out}: ${items.length} boxes.`)
    })
}

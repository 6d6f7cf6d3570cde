import type { Command } from 'commander'
import { type Hardware, shortHardware } from '../../../shared/schemas/hardware.ts'
import type { CliContext } from '../context.ts'
import { shownTime } from '../shown-time.ts'

type Waiting = {
  id: string
  segment: string
  name: string | null
  askedAt: string
  source: string
  hostname: string
  hardware: Hardware | null
}

/** `marshlight agents waiting|approve|reject`: boxes that came with a good claim, where the policy wants them looked at. */
export function waitingCommands(agents: Command, cli: CliContext): void {
  agents
    .command('waiting')
    .description('boxes that wait to be approved')
    .addHelpText('after', '\nExamples:\n  marshlight agents waiting\n  marshlight agents waiting --json')
    .action(async () => {
      const { items } = await cli.api.get<{ items: Waiting[] }>('/v1/claims/waiting')
      cli.show(items, () =>
        cli.table(
          ['CLAIM', 'HOST', 'FROM', 'HARDWARE', 'SEGMENT', 'SINCE'],
          items.map((box) => [
            box.id.slice(-8),
            box.hostname,
            box.source,
            box.hardware ? shortHardware(box.hardware) : undefined,
            box.segment,
            shownTime(box.askedAt),
          ]),
        ),
      )
    })

  for (const [verb, done, what] of [
    ['approve', 'Approved', 'let a waiting box in'],
    ['reject', 'Rejected', 'turn a waiting box away for good; its claim is void'],
  ] as const)
    agents
      .command(`${verb} <claim>`)
      .description(what)
      .option('--dry-run', 'only say what would happen')
      .addHelpText(
        'after',
        `
Its claim's end as \`agents waiting\` shows it, or its host name.

Examples:
  marshlight agents ${verb} 3f2a81c9
  marshlight agents ${verb} pi-cellar --dry-run`,
      )
      .action(async (claim: string, options: { dryRun?: boolean }) => {
        const at = `/v1/claims/waiting/${encodeURIComponent(claim)}/${verb}${options.dryRun ? '?dryRun=1' : ''}`
        const box = await cli.api.post<Waiting>(at, {})
        cli.show(box, ({ hostname, source, segment }) =>
          cli.line(`${options.dryRun ? `Would ${verb}` : done} ${hostname} (${source}) for ${segment}.`),
        )
      })
}

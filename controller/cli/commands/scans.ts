import type { Scan } from '../../segments/index.ts'
import type { CliCommand } from '../context.ts'
import { shownTime } from '../shown-time.ts'

type Answers = { dryRun: boolean; items: { agent: string; segments: string[]; ok: boolean; message: string }[] }
type Where = { agent?: string; cidr?: string; phase?: string; dryRun?: boolean }

export const scansCommand: CliCommand = (program, cli) => {
  const scans = program.command('scans').description('Scans of segments: what ran, start one, stop one.')

  scans
    .command('ls [segment]')
    .description('the last scans, newest first')
    .option('--limit <n>', 'how many', '20')
    .action(async (segment: string | undefined, { limit }: { limit: string }) => {
      const query = new URLSearchParams({ limit, ...(segment !== undefined && { segment }) })
      cli.show(await cli.api.get<{ items: Scan[] }>(`/v1/scans?${query}`), ({ items }) =>
        cli.table(
          ['STARTED', 'SEGMENT', 'PASS', 'OUTCOME', 'HOSTS', 'TOOK', 'REASON'],
          items.map((one) => [
            shownTime(one.startedAt),
            one.segment,
            one.phase,
            one.outcome,
            `${one.hostsUp}/${one.targets}`,
            took(one),
            one.reason,
          ]),
        ),
      )
    })

  scans
    .command('now [segment]')
    .description('scan a segment now, or all of them; the answer is that it began')
    .option('--phase <phase>', 'quick, detail or all', 'all')
    .option('--cidr <network>', 'only this part; never outside the segment')
    .option('--agent <agent>', 'only by this appliance')
    .option('--dry-run', 'only say who would be asked')
    .addHelpText('after', '\nExamples:\n  marshlight scans now office\n  marshlight scans now office --phase quick')
    .action(async (segment: string | undefined, { agent, cidr, phase, dryRun }: Where) => {
      await ask(`/v1/scans${dryRun ? '?dryRun=1' : ''}`, { segment, agent, cidr, phase })
    })

  scans
    .command('cancel [segment]')
    .description('stop the scan that runs in a segment, or all')
    .option('--agent <agent>', 'only of this appliance')
    .option('--dry-run', 'only say who would be asked')
    .addHelpText('after', '\nExample:\n  marshlight scans cancel office')
    .action(async (segment: string | undefined, { agent, dryRun }: Where) => {
      await ask(`/v1/scans/cancel${dryRun ? '?dryRun=1' : ''}`, { segment, agent })
    })

  async function ask(path: string, wish: object): Promise<void> {
    const answers = await cli.progress('asking the appliances', cli.api.post<Answers>(path, wish))
    if (answers.items.some(({ ok }) => !ok)) process.exitCode = 1
    cli.show(answers, ({ items }) =>
      cli.table(
        ['APPLIANCE', 'SEGMENTS', 'ANSWER'],
        items.map(({ agent, segments, message }) => [agent, segments.join(' '), message]),
      ),
    )
  }
}

function took({ startedAt, finishedAt }: Scan): string | undefined {
  if (finishedAt === undefined) return undefined
  return `${Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000)} s`
}

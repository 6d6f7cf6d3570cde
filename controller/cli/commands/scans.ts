import type { ShownScan } from '../../api/routes/scans.ts'
import type { Scan } from '../../segments/index.ts'
import type { CliCommand } from '../context.ts'
import { shownTime } from '../shown-time.ts'

type Answers = { dryRun: boolean; items: { agent: string; segments: string[]; ok: boolean; message: string }[] }
type Where = { agent?: string; cidr?: string; phase?: string; dryRun?: boolean }

export const scansCommand: CliCommand = (program, cli) => {
  const scans = program.command('scans').description('Scans of segments: what ran, start one, stop one.')

  scans
    .command('ls [segment]', { isDefault: true })
    .description('the last scans, newest first')
    .addHelpText('after', '\nExamples:\n  marshlight scans\n  marshlight scans ls office --limit 50')
    .option('--limit <n>', 'how many', '20')
    .action(async (segment: string | undefined, { limit }: { limit: string }) => {
      const query = new URLSearchParams({ limit, ...(segment !== undefined && { segment }) })
      cli.show(await cli.api.get<{ items: Scan[] }>(`/v1/scans?${query}`), ({ items }) =>
        cli.table(
          ['ID', 'STARTED', 'SEGMENT', 'PASS', 'OUTCOME', 'HOSTS', 'TOOK'],
          items.map((one) => [
            one.id,
            shownTime(one.startedAt),
            one.segment,
            one.phase,
            one.outcome,
            `${one.hostsUp}/${one.targets}`,
            took(one),
          ]),
        ),
      )
    })

  scans
    .command('show <scan>')
    .description('one scan with its passes, by its id; or the newest of a segment')
    .addHelpText('after', '\nExamples:\n  marshlight scans show office\n  marshlight scans show 01a1ffeb-8d86-7')
    .action(async (scan: string) => {
      cli.show(await cli.api.get<ShownScan>(`/v1/scans/${encodeURIComponent(scan)}`), (one) => {
        cli.details([
          ['scan', one.id],
          ['segment', `${one.segment} ${one.cidr}`],
          ['by', one.agent],
          ['why', one.request === undefined ? 'its time had come' : 'somebody asked for it'],
        ])
        cli.line('')
        cli.table(
          ['PASS', 'STARTED', 'OUTCOME', 'HOSTS', 'TOOK', 'REASON'],
          one.passes.map((pass) => [
            pass.phase,
            shownTime(pass.startedAt),
            pass.outcome,
            `${pass.hostsUp}/${pass.targets}`,
            took(pass),
            pass.reason,
          ]),
        )
      })
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

function took({ startedAt, finishedAt }: Pick<Scan, 'startedAt' | 'finishedAt'>): string | undefined {
  if (finishedAt === undefined) return undefined
  return `${Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000)} s`
}

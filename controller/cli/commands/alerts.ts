import { forTerminal, jsonForTerminal } from '../../../shared/terminal.ts'
import type { Alert } from '../../alerts/index.ts'
import type { CliCommand, CliContext } from '../context.ts'
import { parseNumber, shownTime, withQuery } from '../duration.ts'

type Shown = Alert & { deliveries: { channel: string; status: string; attempts: number; last_error: string | null }[] }
type ListOptions = { status?: string; kind?: string; limit: number; follow?: boolean }

export const alertsCommand: CliCommand = (program, cli) => {
  const alerts = program
    .command('alerts')
    .description('What you must know of: risky sources, silent agents, dead decoys, lost records.')
    .option('--follow', 'go on and show alerts as they come')
    .option('--status <status>', 'open, acknowledged or closed')
    .option('--kind <kind>', 'risk, silent-agent, dead-decoy, records-lost, …')
    .option('--limit <n>', 'at most so many', parseNumber(0, 1000), 20)
    .addHelpText('after', '\nExamples:\n  marshlight alerts --follow\n  marshlight alerts --status open')
    .action(async (options: ListOptions) => (options.follow ? follow(cli, options) : list(cli, options)))

  alerts
    .command('ls')
    .description('list alerts, newest first')
    .addHelpText('after', '\nExample:\n  marshlight alerts ls')
    .action(() => list(cli, alerts.opts<ListOptions>()))

  alerts
    .command('follow')
    .description('show alerts as they come')
    .addHelpText('after', '\nExample:\n  marshlight alerts follow --json')
    .action(() => follow(cli, alerts.opts<ListOptions>()))

  alerts
    .command('show <id>')
    .description('one alert with its reasons and deliveries')
    .addHelpText('after', '\nExample:\n  marshlight alerts show 0190a')
    .action(async (id: string) => {
      const one = await cli.api.get<Shown>(pathOf(id))
      cli.show(one, () => showAlert(cli, one))
    })

  const verb = (name: 'ack' | 'close', description: string) =>
    alerts
      .command(`${name} <id>`)
      .description(description)
      .option('--why <text>', 'a note', 'by an administrator')
      .option('--dry-run', 'show which it is, and change nothing')
      .addHelpText('after', `\nExample:\n  marshlight alerts ${name} 0190a --why "our own scanner"`)
      .action(async (id: string, options: { why: string; dryRun?: boolean }) => {
        const path = withQuery(`${pathOf(id)}/${name}`, { dryRun: options.dryRun ? 1 : undefined })
        const one = await cli.api.post<Alert>(path, { why: options.why })
        cli.show(one, () =>
          cli.line(forTerminal(`${options.dryRun ? 'Would be' : 'Is now'} ${one.status}: ${one.title}`)),
        )
      })
  verb('ack', 'say that it is known and worked on')
  verb('close', 'say that it is over')
}

const pathOf = (id: string) => `/v1/alerts/${encodeURIComponent(id)}`

async function list(cli: CliContext, { status, kind, limit }: ListOptions): Promise<void> {
  const { items } = await cli.api.get<{ items: Alert[] }>(withQuery('/v1/alerts', { status, kind, limit }))
  cli.show(items, () =>
    cli.table(
      ['ID', 'LAST', 'SEVERITY', 'STATUS', 'N', 'WHAT'],
      items.map((one) => [
        one.id.slice(0, 13),
        shownTime(one.last_at)?.slice(5),
        one.severity,
        one.status,
        one.count,
        one.title,
      ]),
    ),
  )
}

async function follow(cli: CliContext, { status, kind, limit }: ListOptions): Promise<void> {
  const halt = new AbortController()
  const stop = () => halt.abort()
  process.once('SIGINT', stop)
  try {
    const path = withQuery('/v1/alerts', { status, kind, limit, follow: true })
    for await (const alert of cli.api.follow<Alert>(path, halt.signal)) {
      if (cli.json()) cli.line(jsonForTerminal(alert))
      else cli.line(forTerminal(lineOf(alert)))
    }
  } finally {
    process.off('SIGINT', stop)
  }
}

const lineOf = (one: Alert) =>
  `${shownTime(one.last_at)} ${one.severity.padEnd(8)} ${one.status === 'open' ? '' : `[${one.status}] `}${one.title}: ${one.reasons.slice(0, 3).join('; ')}`

function showAlert(cli: CliContext, one: Shown): void {
  cli.details([
    ['alert', one.id],
    ['what', one.title],
    ['kind', one.kind],
    ['about', one.subject],
    ['severity', one.severity],
    ['status', `${one.status}${one.ended_why ? `: ${one.ended_why}` : ''}`],
    ['times', one.count],
    ['first', shownTime(one.created_at)],
    ['last', shownTime(one.last_at)],
    [
      'event to alert',
      one.event_at === null ? undefined : `${Date.parse(one.created_at) - Date.parse(one.event_at)} ms`,
    ],
    ...one.reasons.map((reason, i) => [i === 0 ? 'because' : '', reason] as const),
  ])
  if (one.deliveries.length === 0) return
  cli.line('')
  cli.table(
    ['CHANNEL', 'STATUS', 'ATTEMPTS', 'LAST ERROR'],
    one.deliveries.map((delivery) => [
      delivery.channel,
      delivery.status,
      delivery.attempts,
      delivery.last_error ?? undefined,
    ]),
  )
}

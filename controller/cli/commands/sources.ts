import type { Source } from '../../attackers/index.ts'
import type { Reason, RiskException } from '../../risk/index.ts'
import type { CliCommand, CliContext } from '../context.ts'
import { parseDuration, parseNumber, shownTime, withQuery } from '../duration.ts'

type Scored = Source & { score: number }
type Shown = Scored & {
  reasons: Reason[]
  exempt: boolean
  facts: Record<string, string[]>
  techniques: { technique: string; times: number }[]
  decisions: { id: string; kind: string; target: string; status: string; expires_at: string | null }[]
}
type Thresholds = {
  halfLifeHours: number
  autoBlock: boolean
  items: { name: string; score: number; againBelow: number }[]
  evidence: { id: string; weight: number; full: number; halfLifeMs: number }[]
}
type ExemptOptions = {
  remove?: string
  owner?: string
  reason?: string
  for: number
  decoy?: string
  port?: number
  window?: string
  dryRun?: boolean
}

export const sourcesCommand: CliCommand = (program, cli) => {
  const sources = program.command('sources').description('Addresses that touched decoys, and how suspicious they are.')

  sources
    .command('ls', { isDefault: true })
    .description('list sources, last seen first')
    .option('--min-score <n>', 'with at least this risk', parseNumber(0, 100), 0)
    .option('--inside', 'only those inside a segment')
    .option('--limit <n>', 'at most so many', parseNumber(1, 1000), 50)
    .addHelpText('after', '\nExample:\n  marshlight sources ls --min-score 50')
    .action(async (options: { minScore: number; inside?: boolean; limit: number }) => {
      const { items } = await cli.api.get<{ items: Scored[] }>(withQuery('/v1/sources', options))
      cli.show(items, () =>
        cli.table(
          ['SOURCE', 'RISK', 'LAST SEEN', 'SESSIONS', 'TRIES', 'IN', 'CMDS'],
          items.map((one) => [
            one.ip,
            Math.round(one.score),
            shownTime(one.last_seen),
            one.sessions,
            one.tries,
            one.successes,
            one.commands,
          ]),
        ),
      )
    })

  sources
    .command('show <ip>')
    .description('one source: risk with its reasons, what it did, what was decided')
    .addHelpText('after', '\nExample:\n  marshlight sources show 198.18.1.66')
    .action(async (ip: string) => {
      const one = await cli.api.get<Shown>(`/v1/sources/${encodeURIComponent(ip)}`)
      cli.show(one, () => showSource(cli, one))
    })

  sources
    .command('exempt [cidr]')
    .description('list exceptions; or keep the touches of a scanner of yours without scoring them')
    .option('--owner <who>', 'who answers for it (needed)')
    .option('--reason <text>', 'why (needed)')
    .option('--for <time>', 'how long: 30m, 2h, 7d', parseDuration, parseDuration('30d'))
    .option('--decoy <id>', 'only at this decoy')
    .option('--port <n>', 'only at this port', parseNumber(1, 65535))
    .option('--window <hh:mm-hh:mm>', 'only in these hours, UTC')
    .option('--remove <id>', 'end an exception')
    .option('--dry-run', 'show what would be done')
    .addHelpText(
      'after',
      '\nExamples:\n  marshlight sources exempt\n  marshlight sources exempt 198.18.1.9 --owner IT --reason "nightly scan" \\\n    --for 90d --window 01:00-04:00',
    )
    .action(async (cidr: string | undefined, options: ExemptOptions) => exempt(cli, cidr, options))

  const risk = program.command('risk').description('How risk is scored.')
  risk
    .command('thresholds', { isDefault: true })
    .description('the thresholds, and what each piece of evidence weighs')
    .addHelpText('after', '\nExample:\n  marshlight risk thresholds --json')
    .action(async () => {
      const answer = await cli.api.get<Thresholds>('/v1/risk/thresholds')
      cli.show(answer, () => {
        cli.table(
          ['THRESHOLD', 'RISK', 'COUNTS AGAIN BELOW'],
          answer.items.map((one) => [one.name, one.score, Math.round(one.againBelow)]),
        )
        cli.line('')
        cli.table(
          ['EVIDENCE', 'ALONE', 'IN FULL FROM', 'HALVES IN HOURS'],
          answer.evidence.map((one) => [one.id, Math.round(one.weight * 100), one.full, one.halfLifeMs / 3_600_000]),
        )
        if (!answer.autoBlock) cli.line('Blocks are proposed only: see `marshlight blocks ls --status proposed`.')
      })
    })
}

async function exempt(cli: CliContext, cidr: string | undefined, options: ExemptOptions): Promise<void> {
  const query = { dryRun: options.dryRun ? 1 : undefined }
  if (options.remove !== undefined) {
    const one = await cli.api.delete<RiskException>(
      withQuery(`/v1/exceptions/${encodeURIComponent(options.remove)}`, query),
    )
    return cli.show(one, () => cli.line(`${options.dryRun ? 'Would end' : 'Ended'} the exception of ${one.cidr}.`))
  }
  if (cidr === undefined) {
    const { items } = await cli.api.get<{ items: RiskException[] }>('/v1/exceptions')
    return cli.show(items, () =>
      cli.table(
        ['ID', 'NETWORK', 'UNTIL', 'OWNER', 'REASON'],
        items.map((one) => [one.id, one.cidr, shownTime(one.expires_at)?.slice(0, 10), one.owner, one.reason]),
      ),
    )
  }
  const [from, until] = (options.window ?? '').split('-')
  const one = await cli.api.post<RiskException>(withQuery('/v1/exceptions', query), {
    cidr,
    owner: options.owner,
    reason: options.reason,
    minutes: options.for,
    decoy: options.decoy,
    port: options.port,
    ...(options.window !== undefined && { fromMinute: minuteOf(from), untilMinute: minuteOf(until) }),
  })
  cli.show(one, () =>
    cli.line(`${options.dryRun ? 'Would exempt' : 'Exempted'} ${one.cidr} until ${shownTime(one.expires_at)}.`),
  )
}

function minuteOf(text: string | undefined): number | string {
  const match = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text ?? '')
  // The server names what is wrong with it.
  return match ? Number(match[1]) * 60 + Number(match[2]) : (text ?? '')
}

function showSource(cli: CliContext, one: Shown): void {
  const list = (kind: string) => one.facts[kind]?.slice(0, 8).join(' ')
  cli.details([
    ['source', `${one.ip}${one.inside ? ' (inside)' : ''}${one.exempt ? ' (exempt)' : ''}`],
    ['risk', Math.round(one.score)],
    ['seen', `${shownTime(one.first_seen)} to ${shownTime(one.last_seen)}`],
    [
      'sessions',
      `${one.sessions}, ${one.tries} log-in tries, ${one.successes} let in, ${one.commands} commands, ${one.files} files`,
    ],
    ['decoys', one.facts.decoy?.length],
    ['ports', list('port')],
    ['users tried', list('username')],
    ['clients', list('client')],
    ['hassh', list('hassh')],
    [
      'techniques',
      one.techniques
        .slice(0, 8)
        .map(({ technique, times }) => `${technique} (${times})`)
        .join(' ') || undefined,
    ],
  ])
  cli.line('')
  cli.table(
    ['POINTS', 'WHY'],
    one.reasons.map(({ points, words }) => [Math.round(points), words]),
  )
  if (one.decisions.length === 0) return
  cli.line('')
  cli.table(
    ['DECISION', 'TARGET', 'STATUS', 'UNTIL'],
    one.decisions.map((decision) => [decision.kind, decision.target, decision.status, shownTime(decision.expires_at)]),
  )
}

import type { ScoreRow, StandingRow, Told } from '../../detection/index.ts'
import type { CliCommand, CliContext } from '../context.ts'
import { parseDuration, parseNumber, shownTime, withQuery } from '../duration.ts'
import { wrapped } from '../print.ts'
import { driftGroup } from './drift.ts'

type Scores = { alertScore: number; items: ScoreRow[] }
type Explained = { decoy: string; hostname: string; alertScore: number; items: StandingRow[] }
type Options = { decoy?: string; since: number; plain?: boolean; limit: number }

const meaning = `A score is how far the feature that moved most is off, 0 to 100, and 0 where
that is not sure. 20 means: of answers, a fifth more than expected are slower
(larger) than some value; of shares such as errors, 20 points more or fewer; of
rates, a fifth less or a quarter more; of kinds, a new one makes a third.`

export const driftScoresCommand: CliCommand = (program, cli) => {
  const drift = driftGroup(program)

  drift
    .command('scores')
    .description('how far decoys are from what is expected of them, newest first')
    .option('--decoy <decoy>', 'of this decoy (id or host name)')
    .option('--since <time>', 'so far back: 30m, 2h, 7d', parseDuration, parseDuration('24h'))
    .option('--plain', 'the plain sum of deviations instead, which grows with noise: to compare')
    .option('--limit <n>', 'at most so many', parseNumber(1, 10_000), 50)
    .addHelpText(
      'after',
      `\n${meaning}\n\nExamples:\n  marshlight drift scores --since 2h\n  marshlight drift scores --decoy web07 --plain`,
    )
    .action(async ({ decoy, since, plain, limit }: Options) => {
      const answer = await cli.api.get<Scores>(withQuery('/v1/drift/scores', { decoy, sinceMinutes: since, limit }))
      cli.show(answer, ({ items, alertScore }) => {
        cli.table(
          plain ? ['DECOY', 'AT', 'PLAIN', 'SCORE'] : ['DECOY', 'AT', 'SCORE', 'FEATURE', 'CAUSE', 'WORDS'],
          items.map((one) => [nameOf(one), shownTime(one.at)?.slice(5, 16), ...(plain ? plainly(one) : fully(one))]),
        )
        if (items.length === 0) cli.line('No scores yet: they need windows of the decoys’ traffic and a baseline.')
        else if (plain) cli.line('The plain sum has no significance and no bound; it alarms nobody.')
        else cli.line(`From ${alertScore} on it is an alert. See \`marshlight drift explain DECOY\`.`)
      })
    })

  drift
    .command('explain <decoy>')
    .description('the last look at a decoy: each feature, how much it moved, and how sure that is')
    .addHelpText('after', '\nExample:\n  marshlight drift explain web07')
    .action(async (ref: string) => {
      const answer = await cli.api.get<Explained>(`/v1/drift/scores/${encodeURIComponent(ref)}`)
      cli.show(answer, (shown) => explain(cli, shown))
    })
}

const nameOf = ({ hostname, decoy, instance }: Pick<ScoreRow, 'hostname' | 'decoy' | 'instance'>): string =>
  `${hostname ?? decoy}${instance < 0 ? '' : `/mimicry-${instance}`}`

const plainly = ({ plain, score }: ScoreRow) => [plain ?? 'infinite', score]
const fully = ({ score, feature, cause, words }: ScoreRow) => [
  score,
  feature ?? undefined,
  cause ?? undefined,
  words ?? undefined,
]

function explain(cli: CliContext, { hostname, items, alertScore }: Explained): void {
  if (items.length === 0) cli.line(`${hostname} was not looked at yet: see \`marshlight drift scores\`.`)
  for (const one of items) {
    cli.details([
      ['decoy', nameOf(one)],
      ['looked at', shownTime(one.at)],
      ['score', `${one.score} (alert from ${alertScore}); plain ${one.plain ?? 'infinite'}`],
      ['cause', one.cause ?? undefined],
    ])
    if (one.because) cli.line(wrapped(`  ${one.because}`, 2))
    cli.line('')
    cli.table(
      ['FEATURE', 'PORT', 'N', 'OBSERVED, EXPECTED', 'MOVED', 'Q', ''],
      one.findings.map((told) => [
        told.feature,
        told.port ?? told.service,
        told.n < 10_000 ? told.n : `${Math.round(told.n / 1000)}k`,
        told.words,
        told.effect.toFixed(2),
        told.q < 0.001 ? told.q.toExponential(0) : told.q.toFixed(3),
        remark(told),
      ]),
    )
    cli.line('')
  }
  if (items.length > 0) cli.line('* counts; v: of visitors, told only; ?: asked otherwise; -: too little; ~: slow')
}

function remark({ significant, whose, asked, slight, slow }: Told): string {
  if (whose === 'visitors') return 'v'
  if (asked) return '?'
  if (slight) return '-'
  return significant ? (slow ? '*~' : '*') : ''
}

import { Option } from 'commander'
import { attackerClasses, type DriftReport, type Explained } from '../../adaptation/index.ts'
import type { CliCommand, CliContext } from '../context.ts'
import { parseDuration, shownTime, withQuery } from '../duration.ts'
import { wrapped } from '../print.ts'
import { driftGroup } from './drift.ts'

type Options = { class?: string; since?: number; explain?: string }
type Shown = DriftReport & { enabled: boolean; controlShare: number }
type ClassReport = DriftReport['all']
type Outcome = ClassReport['control']

export const driftReportCommand: CliCommand = (program, cli) => {
  driftGroup(program)
    .command('report')
    .description('what drift does to engagement, with and without, or why an attacker meets what he meets')
    .addOption(new Option('--class <class>', 'only this class of attackers').choices([...attackerClasses]))
    .option('--since <duration>', 'only visits that ended within it: 24h, 7d', parseDuration)
    .option('--explain <ip>', 'why this source was given what it was given')
    .addHelpText(
      'after',
      `
Examples:
  marshlight drift report --since 7d
  marshlight drift report --explain 203.0.113.9`,
    )
    .action(async ({ class: attackers, since, explain }: Options) => {
      if (explain !== undefined) {
        const one = await cli.api.get<Explained>(`/v1/drift-report/${encodeURIComponent(explain)}`)
        return cli.show(one, () => showExplained(cli, one))
      }
      const from = since === undefined ? undefined : new Date(Date.now() - since * 60_000).toISOString()
      const report = await cli.api.get<Shown>(withQuery('/v1/drift-report', { class: attackers, since: from }))
      cli.show(report, () => showReport(cli, report))
    })
}

const leftOutWords = {
  'by-hand': 'while drift that an administrator set was in force',
  'other-face': "after the decoy's persona had changed for what others did",
} as const

function showReport(cli: CliContext, { all, classes, enabled, controlShare, leftOut }: Shown): void {
  const say = (text: string) => cli.line(wrapped(text, 0))
  if (!enabled) say('Adaptation is switched off (adaptation.enabled): nobody is given anything new.')
  const sources = all.control.chosen + all.adaptive.chosen
  if (sources === 0) {
    say('No visit has ended yet that could be compared.')
    return
  }
  cli.table(
    ['CLASS, ARM', 'CHOSEN', 'VISITS', 'FELT', 'MEAN', 'RATIO', '95 %', 'P'],
    [all, ...classes].flatMap((one) => rowsOf(one)),
  )
  cli.line('')
  say(
    `MEAN is log(1 + minutes + commands + 2 for a file + 10 for a return) of a visit, averaged over each source first. \
RATIO is against the control group of the same class (of all attackers no arm has one: each class is given others), ${Math.round(controlShare * 100)} % by lot. A source counts for what \
was assigned to it, whether or not it felt any of it (FELT: visits that did).`,
  )
  for (const { why, visits, control } of leftOut)
    say(`Left out: ${visits} visits ${leftOutWords[why]}, ${control} of them of the control group.`)
}

function rowsOf(report: ClassReport): (string | number | undefined)[][] {
  return [
    [report.class, ...cells(report.adaptive)],
    ['  control', ...cells(report.control)],
    ...report.arms.map((one) => [`  ${one.arm}`, ...cells(one)]),
  ]
}

const cells = ({ chosen, visits, felt, mean, effect }: Outcome) => [
  chosen,
  visits,
  felt,
  mean?.toFixed(2),
  effect?.ratio.toFixed(2),
  effect && `${effect.low.toFixed(2)}-${effect.high.toFixed(2)}`,
  effect && (effect.p < 0.001 ? '<.001' : effect.p.toFixed(3)),
]

function showExplained(cli: CliContext, { source, class: attackers, known, ...one }: Explained): void {
  cli.details([
    ['source', source],
    ['class', attackers],
    [
      'known',
      `${known.sessions} sessions, ${known.tries} log-ins tried, ${known.commands} lines typed, ${known.requests} requests`,
    ],
    ['tests for decoys', known.signs.join(', ') || 'no sign of it'],
  ])
  for (const given of one.assignments) {
    cli.line('')
    const until = given.inForce ? `until ${shownTime(given.until)}` : `until ${shownTime(given.until)}, over`
    const now = given.shown === given.arm ? given.arm : `${given.arm}, by now ${given.shown}`
    cli.line(wrapped(`${shownTime(given.made_at)} given ${now}, ${until}`, 2))
    cli.line(wrapped(`  as ${given.class}: ${given.because} (${given.visits} visits)`, 2))
  }
  if (one.changes.length === 0) return
  cli.line('')
  cli.table(
    ['WHEN', 'DECOY', 'WHAT', 'BECAUSE'],
    one.changes.map(({ at, decoy, kind, arm, because }) => [
      shownTime(at)?.slice(5),
      decoy.slice(0, 13),
      arm ? `${kind} ${arm}` : kind,
      because,
    ]),
  )
}

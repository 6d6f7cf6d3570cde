import { MarshlightError } from '../../../shared/errors.ts'
import type { Listed, ShownFeature } from '../../baselines/index.ts'
import type { CliCommand } from '../context.ts'
import { shownTime } from '../shown-time.ts'
import { sparkline } from '../sparkline.ts'

type Shown = Listed & { until?: string; hour?: number; features: ShownFeature[] }

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

export const baselinesCommand: CliCommand = (program, cli) => {
  const baselines = program
    .command('baselines')
    .description('How services, segments and decoys behave when all is well.')

  baselines
    .command('ls', { isDefault: true })
    .description('of whom something is known')
    .option('--segment <segment>', 'of this segment only')
    .option('--kind <service>', 'of this service only: ssh, http ...')
    .addHelpText('after', '\nExample:\n  marshlight baselines ls --segment office --kind ssh')
    .action(async (given: { segment?: string; kind?: string }) => {
      const path = `/v1/baselines?${new URLSearchParams(given)}`
      cli.show(await cli.api.get<{ items: Listed[] }>(path), ({ items }) => {
        if (items.length === 0) return cli.line('Nothing is known yet: agents tell of a window at a time.')
        cli.table(
          ['SUBJECT', 'OF', 'SEGMENT', 'SERVICE', 'WINDOWS', 'LAST'],
          items.map((one) => [one.name, one.kind, one.segment, one.service, one.windows, shownTime(one.lastAt)]),
        )
      })
    })

  baselines
    .command('show <subject>')
    .description('one of them: each feature with what it rests on, and by hour of the day')
    .option('--hour <hour>', 'in this hour of the week, UTC: mon9, or 0 to 167 from Monday on')
    .addHelpText(
      'after',
      '\nExamples:\n  marshlight baselines show office/ssh\n  marshlight baselines show files:22 --hour tue14',
    )
    .action(async (subject: string, { hour }: { hour?: string }) => {
      const query = new URLSearchParams({ subject, ...(hour !== undefined && { hour: String(hourOf(hour)) }) })
      cli.show(await cli.api.get<Shown>(`/v1/baselines/one?${query}`), (one) => {
        cli.details([
          ['subject', one.name],
          ['of', `${one.kind} in ${one.segment}`],
          ['service', one.service],
          ['windows', one.windows],
          ['since', shownTime(one.since)],
          ['until', shownTime(one.until)],
          ...(one.hour === undefined
            ? []
            : [['hour', `${days[Math.floor(one.hour / 24)]} ${one.hour % 24}:00 UTC`] as const]),
        ])
        cli.line('')
        cli.table(['FEATURE', 'N', 'USUAL', '95 % INTERVAL', 'OF HOURS'], one.features.flatMap(rowsOf))
        const daily = one.features.filter(({ byHour }) => byHour.some((value) => value !== null))
        if (daily.length === 0) return
        cli.line('')
        cli.table(
          ['BY HOUR', '0     6     12    18    UTC', 'LEAST', 'MOST'],
          daily.map(({ feature, byHour, unit }) => {
            const seen = byHour.filter((value) => value !== null)
            return [feature, sparkline(byHour), figure(Math.min(...seen), unit), figure(Math.max(...seen), unit)]
          }),
        )
      })
    })
}

/** `mon9`, `sun 23`, or a number; throws USAGE. */
function hourOf(text: string): number {
  const [, day = '', hour = ''] = /^([a-z]{3})[ -]?(\d{1,2})$/.exec(text.toLowerCase()) ?? []
  const named = days.indexOf(day) * 24 + Number(hour)
  const known = days.includes(day) && Number(hour) < 24 ? named : /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN
  if (known >= 0 && known < 168) return known
  throw new MarshlightError('USAGE', {
    what: `${text} is no hour of the week (mon0 to sun23, or 0 to 167)`,
    command: 'marshlight baselines show',
  })
}

const words = { hour: 'this', day: 'this, each day', all: 'all' } as const

function rowsOf({ feature, n, unit, typical, low, high, level, kinds }: ShownFeature) {
  const between = (from: number | undefined, to: number | undefined) =>
    from === undefined || to === undefined ? undefined : `${figure(from, unit)} to ${figure(to, unit)}`
  const usual = kinds ? undefined : typical === undefined ? undefined : figure(typical, unit)
  return [
    [feature, n, usual, between(low, high), words[level]],
    ...(kinds ?? []).map((one) => [
      `  ${one.kind}`,
      undefined,
      figure(one.share, 'share'),
      between(one.low, one.high),
      '',
    ]),
  ]
}

function figure(value: number, unit: string): string {
  if (unit === 'share') return `${Number((100 * value).toPrecision(3))} %`
  const short = value >= 1000 ? Math.round(value) : Number(value.toPrecision(3))
  return unit === 'an hour' ? `${short}/h` : `${short} ${unit === 'bytes' ? 'B' : unit}`
}

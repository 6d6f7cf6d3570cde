import type { TrafficPattern } from '../../../shared/schemas/mimicry.ts'
import type { InstanceDone, NotMade, SeenShape } from '../../mimicry/index.ts'
import type { CliCommand, CliContext } from '../context.ts'
import { wrapped } from '../print.ts'
import { shownTime } from '../shown-time.ts'
import { sparkline } from '../sparkline.ts'

type Listed = { level: string; hours: number; items: InstanceDone[] }
type Shown = Listed & { segment: string; seen: (SeenShape & { notMade: NotMade[]; inOwnShapes: string[] })[] }

export const mimicryCommand: CliCommand = (program, cli) => {
  const mimicry = program
    .command('mimicry')
    .description('Traffic that decoys make by themselves, and what it is drawn from.')

  mimicry
    .command('ls', { isDefault: true })
    .description('what each instance did')
    .option('--segment <segment>', 'of this segment only')
    .option('--hours <hours>', 'since so many hours', '24')
    .addHelpText('after', '\nExample:\n  marshlight mimicry ls --segment office --hours 1')
    .action(async (given: { segment?: string; hours: string }) => {
      cli.show(await cli.api.get<Listed>(`/v1/mimicry?${new URLSearchParams(given)}`), (said) => instances(cli, said))
    })

  mimicry
    .command('show <segment>')
    .description('the shape of a segment’s traffic as agents saw it, and what its decoys did')
    .option('--hours <hours>', 'what was done since so many hours', '24')
    .addHelpText('after', '\nExample:\n  marshlight mimicry show office')
    .action(async (segment: string, given: { hours: string }) => {
      const path = `/v1/mimicry/${encodeURIComponent(segment)}?${new URLSearchParams(given)}`
      cli.show(await cli.api.get<Shown>(path), (said) => {
        if (said.seen.length === 0)
          cli.line('No agent saw enough of this segment: its decoys use the agent’s own shapes.')
        for (const { from, at, patterns, notMade, inOwnShapes } of said.seen) {
          const hosts = patterns[0]?.hosts
          cli.line(`Seen from ${shownTime(from)} to ${shownTime(at)}${hosts ? `; hosts: ${hosts}` : ''}`)
          cli.table(['KIND', 'N', 'BY HOUR, UTC', 'AN HOUR', 'ASKS', 'GETS', 'TURNS'], patterns.map(rowOf))
          for (const text of aboutMade(notMade, inOwnShapes)) cli.line(wrapped(text, 2))
          cli.line('')
        }
        instances(cli, said)
      })
    })
}

/** What of it decoys do not make, by reason, and what they make though nobody saw it. */
function aboutMade(notMade: readonly NotMade[], inOwnShapes: readonly string[]): string[] {
  const reasons = Map.groupBy(notMade, ({ why }) => why)
  const unmade = [...reasons].map(([why, all]) => `Not made (${why}): ${all.map(({ kind }) => kind).join(', ')}`)
  return inOwnShapes.length === 0
    ? unmade
    : [...unmade, `Not seen, and made in the agent’s own shapes: ${inOwnShapes.join(', ')}`]
}

function instances(cli: CliContext, { level, hours, items }: Listed): void {
  if (items.length === 0) {
    cli.line(
      level === 'off'
        ? 'Decoys make no traffic: `mimicry.level` in the controller’s configuration is off.'
        : `Nothing was reported in the last ${hours} hours.`,
    )
    return
  }
  cli.table(
    ['DECOY', '#', 'MADE', 'FAILED', 'CUT', 'KB', 'SCORE', 'ANEW', 'LAST, UTC'],
    items.map((one) => [
      one.hostname,
      one.instance,
      one.done,
      one.failed,
      one.bounded,
      Math.round(one.bytes / 1000),
      one.score,
      one.redrawn,
      // Nothing older than two weeks is kept: the year says nothing.
      shownTime(one.lastAt)?.slice(5, 16),
    ]),
  )
}

const rowOf = (pattern: TrafficPattern) => {
  const of = (name: 'request' | 'response') => bytes(median(pattern.classes.flatMap((one) => one[name])))
  const rate = pattern.hourly.reduce((sum, one) => sum + one, 0) / pattern.hourly.length
  const turns = median(pattern.exchanges)
  return [
    pattern.kind,
    pattern.n,
    sparkline(pattern.hourly),
    Number(rate.toPrecision(3)),
    of('request'),
    of('response'),
    Math.round(turns),
  ]
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
const bytes = (value: number): string => (value >= 10_000 ? `${Math.round(value / 1000)} kB` : `${Math.round(value)} B`)

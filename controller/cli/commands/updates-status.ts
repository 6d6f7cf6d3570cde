import type { Command } from 'commander'
import { systemClock } from '../../../shared/clock.ts'
import type { BoxView, Newcomers, RolloutView } from '../../updates/index.ts'
import type { CliContext } from '../context.ts'
import { shownTime } from '../duration.ts'
import { wrapped } from '../print.ts'
import { shownBytes } from '../shown-bytes.ts'

type Shown = RolloutView & { boxes: BoxView[]; newcomers: Newcomers | null }

const pollMs = 2000
/** Boxes of which there is something to say are all shown; of others so many. */
const mostPlain = 20

export function statusCommand(updates: Command, cli: CliContext): void {
  updates
    .command('status [rollout]')
    .description('all rollouts, or how far one is and what troubles it')
    .option('--watch', 'show it again whenever it changes, until it pauses or ends')
    .addHelpText('after', '\nExamples:\n  marshlight updates status\n  marshlight updates status 4f21c09a --watch')
    .action(async (rollout: string | undefined, { watch = false }: { watch?: boolean }) => {
      if (rollout === undefined) return list(cli)
      const read = () => cli.api.get<Shown>(`/v1/rollouts/${encodeURIComponent(rollout)}`)
      let shown = await read()
      cli.show(shown, () => show(cli, shown))
      while (watch && shown.status === 'running') {
        await systemClock.sleep(pollMs)
        const next = await read()
        const changed = JSON.stringify(next) !== JSON.stringify(shown)
        shown = next
        if (!changed) continue
        if (!cli.json()) cli.line('')
        cli.show(shown, () => show(cli, shown))
      }
      if (watch && shown.status === 'paused') process.exitCode = 1
    })
}

async function list(cli: CliContext): Promise<void> {
  const { items } = await cli.api.get<{ items: RolloutView[] }>('/v1/rollouts')
  cli.show(items, () =>
    cli.table(
      ['ROLLOUT', 'VERSION', 'STATUS', 'RING', 'CONFIRMED', 'BROKEN', 'MADE'],
      items.map((one) => {
        const sum = (of: 'boxes' | 'confirmed' | 'broken') => one.rings.reduce((all, ring) => all + ring[of], 0)
        return [
          one.id.slice(-8),
          `${one.version}${one.kind === 'rollback' ? ' (back)' : ''}`,
          one.status,
          one.rings.find(({ state }) => state === 'open' || state === 'gate')?.name,
          `${sum('confirmed')} of ${sum('boxes')}`,
          sum('broken'),
          shownTime(one.madeAt),
        ]
      }),
    ),
  )
}

function show(cli: CliContext, one: Shown): void {
  cli.details([
    ['rollout', one.id],
    ['release', `${one.version}${one.kind === 'rollback' ? ', to go back to' : ''}`],
    ['status', `${one.status}${one.why ? `: ${one.why}` : ''}`],
    ['made', shownTime(one.madeAt)],
    ['started', shownTime(one.startedAt)],
    ['ended', shownTime(one.endedAt)],
    ...(one.gateLeftMinutes === null ? [] : [['gate', `${one.gateLeftMinutes} min to go`] as const]),
  ])
  cli.line('')
  cli.table(
    ['RING', 'STATE', 'BOXES', 'CONFIRMED', 'AT WORK', 'LATE', 'BROKEN'],
    one.rings.map((ring) => [
      ring.name,
      ring.state,
      ring.boxes,
      ring.confirmed,
      ring.atWork,
      ring.late,
      `${ring.broken} (${ring.mayBreak} may)`,
    ]),
  )
  if (one.newcomers) showNewcomers(cli, one.newcomers)
  const telling = one.boxes.filter(({ why, standing }) => why.length > 0 || ['broken', 'unwell'].includes(standing))
  const others = one.boxes.filter((box) => !telling.includes(box) && box.phase !== null)
  if (telling.length + others.length === 0) return
  cli.line('')
  cli.table(
    ['BOX', 'RING', 'PHASE', 'STANDING', 'FETCHED'],
    [...telling, ...others.slice(0, mostPlain)].map((box) => [
      box.name,
      box.ring,
      box.phase ?? undefined,
      `${box.standing}${box.late ? ', late' : ''}`,
      box.phase === 'fetching' && box.of ? `${shownBytes(box.bytes ?? 0)} of ${shownBytes(box.of)}` : undefined,
    ]),
  )
  if (others.length > mostPlain) cli.line(`and ${others.length - mostPlain} more; all of them with --json`)
  for (const { name, why } of telling) if (why.length > 0) cli.line(wrapped(`${name}: ${why.join('; ')}`, 2))
}

function showNewcomers(cli: CliContext, { names, brings, next }: Newcomers): void {
  const some = names.slice(0, 5).join(', ')
  const more = names.length > 5 ? ` and ${names.length - 5} more` : ''
  const how =
    next === undefined
      ? 'When it has ended, this says what brings the release to them.'
      : brings < names.length
        ? `${brings} of them get the release by this, the others by what stands here after it:`
        : 'They get the release by:'
  cli.line('')
  cli.line(wrapped(`Enrolled since, and not in it: ${some}${more}. ${how}`, 2))
  if (next !== undefined) cli.line(`  ${next}`)
}

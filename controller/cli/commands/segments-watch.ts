import { MarshlightError } from '../../../shared/errors.ts'
import type { CliCommand } from '../context.ts'

type Answer = { segment: string; watched: boolean; forgotten?: { subjects: number; windows: number } }

/** Whether a segment's own traffic and services are looked at; its decoys are, always. */
export const segmentsWatchCommand: CliCommand = (program, cli) => {
  const segments = program.commands.find((one) => one.name() === 'segments')
  if (!segments) throw new Error('the command `segments` has to be there first')
  segments
    .command('watch <segment> [on|off]')
    .description('whether its own traffic and services are looked at')
    .option('--forget', 'with off: delete what was kept of that; its inventory stays')
    .option('--dry-run', 'only tell what would happen')
    .addHelpText(
      'after',
      '\nExamples:\n  marshlight segments watch office\n  marshlight segments watch office off --forget',
    )
    .action(async (ref: string, wanted: string | undefined, { forget = false, dryRun = false }) => {
      const path = `/v1/segments/${encodeURIComponent(ref)}/watch`
      if (wanted !== undefined && wanted !== 'on' && wanted !== 'off')
        throw new MarshlightError('USAGE', {
          what: `${wanted} is neither on nor off`,
          command: 'marshlight segments watch',
        })
      if (forget && wanted !== 'off')
        throw new MarshlightError('USAGE', { what: '--forget goes with off', command: 'marshlight segments watch' })
      const body = { watched: wanted === 'on', forget }
      const answer =
        wanted === undefined
          ? await cli.api.get<Answer>(path)
          : await cli.api.put<Answer>(`${path}${dryRun ? '?dryRun=1' : ''}`, body)
      cli.show(answer, ({ segment, watched, forgotten }) => {
        const would = dryRun ? 'would be' : 'is'
        cli.line(
          watched
            ? `${segment} ${would} looked at: timing of its services, and features of the traffic that is heard in it.`
            : `${segment} ${would} left alone: nothing of its own traffic or services is looked at, told or kept.`,
        )
        if (forgotten) cli.line(`Forgotten: ${forgotten.windows} windows of ${forgotten.subjects} subjects.`)
      })
    })
}

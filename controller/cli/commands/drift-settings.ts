import { type Command, InvalidArgumentError, Option } from 'commander'
import type { ShownPort, ShownSetting } from '../../api/routes/drift-shown.ts'
import type { CliCommand, CliContext } from '../context.ts'
import { parseDuration, parseNumber, withQuery } from '../duration.ts'
import { wrapped } from '../print.ts'
import { shownTime } from '../shown-time.ts'
import { driftGroup } from './drift.ts'
import { type Previewed, showPorts, showPreview } from './drift-preview.ts'

type Listed = ShownSetting & { hostname: string; ip: string }
type Head = { decoy: string; hostname: string; ip: string; segmentName?: string }
type Changed = Head & { settings: ShownSetting[]; left?: number; dryRun: boolean }
type Shown = Head & { settings: ShownSetting[]; ports: ShownPort[]; history: ShownSetting[] }
type Wish = {
  source?: string
  seed?: string
  for?: number
  form?: string
  ms?: number
  kind?: string
  what?: string
  share?: number
  hours?: number[]
  add?: boolean
  reason?: string
  dryRun?: boolean
}

/** Settings that ended, as they are shown; --json has more. */
const mostEarlier = 10

/** `drift ls`, `show`, `set`, `clear` and `preview`: what decoys do on purpose. */
export const driftSettingsCommand: CliCommand = (program, cli) => {
  const drift = driftGroup(program)

  drift
    .command('ls', { isDefault: true })
    .description('drift in force, for everyone and for single sources')
    .addHelpText('after', '\nExamples:\n  marshlight drift\n  marshlight drift ls --segment office')
    .option('--segment <segment>', 'only decoys of this segment')
    .option('--decoy <decoy>', 'only this decoy')
    .action(async (only: { segment?: string; decoy?: string }) => {
      const list = await cli.api.get<{ items: Listed[] }>(withQuery('/v1/drift', only))
      cli.show(list, ({ items }) =>
        cli.table(
          ['DECOY', 'FOR', 'DRIFT', 'BY', 'UNTIL'],
          items.map((one) => [
            one.hostname,
            one.source ?? 'everyone',
            `${one.short.join(', ')}${one.givesWay ? ' (gives way)' : ''}`,
            one.by,
            shownTime(one.until),
          ]),
        ),
      )
    })

  drift
    .command('show <decoy>')
    .description('a decoy’s drift in words, what is expected of it, and earlier settings')
    .option('--source <ip>', 'what is expected where this attacker looks; else everyone')
    .addHelpText('after', '\nExample:\n  marshlight drift show web07')
    .action(async (ref: string, { source }: { source?: string }) => {
      cli.show(await cli.api.get<Shown>(withQuery(pathOf(ref), { source })), (one) => showDrift(cli, one, source))
    })

  withWish(drift.command('set <decoy> <type> <intensity>'))
    .description('let a decoy deviate: latency, alteration, error or schedule; low, medium or high')
    .option('--for <time>', 'until then: 30m, 2h, 7d (else until it is cleared)', parseDuration)
    .option('--reason <text>', 'why, for the record')
    .option('--dry-run', 'only say what would be set')
    .addHelpText(
      'after',
      `
Examples:
  marshlight drift set web07 latency medium --for 2h
  marshlight drift set web07 error low --kind busy --share 0.05 --add
  marshlight drift set web07 latency high --source 198.18.1.66`,
    )
    .action(async (ref: string, type: string, intensity: string, { dryRun, for: minutes, ...wish }: Wish) => {
      const body = { type, intensity, ...wish, minutes }
      const done = await cli.api.post<Changed>(withQuery(pathOf(ref), { dryRun: dryRun ? 1 : undefined }), body)
      cli.show(done, () => {
        cli.details([[done.dryRun ? 'would set' : 'set', `${done.hostname} at ${done.ip}`]])
        for (const setting of done.settings) showSetting(cli, setting)
        if (done.dryRun) cli.line('Nothing was changed.')
      })
    })

  drift
    .command('clear <decoy>')
    .description('end everyone’s drift; views of single sources stay')
    .option('--source <ip>', 'end the view of this source instead')
    .option('--all', 'end everything')
    .option('--reason <text>', 'why, for the record')
    .option('--dry-run', 'only say what would end')
    .addHelpText('after', '\nExamples:\n  marshlight drift clear web07\n  marshlight drift clear web07 --all')
    .action(async (ref: string, given: { source?: string; all?: boolean; reason?: string; dryRun?: boolean }) => {
      const { source, all, reason, dryRun } = given
      const query = { source, reason, all: all ? 1 : undefined, dryRun: dryRun ? 1 : undefined }
      const done = await cli.api.delete<Changed>(withQuery(pathOf(ref), query))
      cli.show(done, () => showCleared(cli, done))
    })

  withWish(drift.command('preview <decoy> <type> <intensity>'))
    .description('what `set` would do at each port, and to what is expected there; nothing is changed')
    .addHelpText('after', '\nExample:\n  marshlight drift preview web07 latency high --form fixed')
    .action(async (ref: string, type: string, intensity: string, wish: Wish) => {
      const shown = await cli.api.post<Previewed>(`${pathOf(ref)}/preview`, { type, intensity, ...wish })
      cli.show(shown, () => showPreview(cli, shown))
    })
}

const pathOf = (ref: string) => `/v1/drift/${encodeURIComponent(ref)}`

function withWish(command: Command): Command {
  return command
    .option('--source <ip>', 'only where this attacker looks')
    .option('--seed <seed>', 'the same seed draws the same')
    .option('--add', 'besides what is in force')
    .addOption(new Option('--form <form>', 'of a latency').choices(['fixed', 'jitter', 'load']))
    .option('--ms <n>', 'of a latency: milliseconds', parseNumber(0, 60_000))
    .addOption(new Option('--kind <kind>', 'of an error').choices(['refused', 'reset', 'busy', 'timeout', 'disk']))
    .addOption(
      new Option('--what <what>', 'of an alteration').choices(['bytes', 'fields', 'contents', 'listing', 'version']),
    )
    .option('--share <part>', 'of errors and alterations: 0.05 is one of twenty', parseNumber(0, 1))
    .option('--hours <list>', 'of a schedule: hours without an answer, as 1,2,3', parseHours)
}

function parseHours(text: string): number[] {
  if (!/^\d{1,2}(,\d{1,2})*$/.test(text)) throw new InvalidArgumentError('Write them as 1,2,3.')
  return text.split(',').map(Number)
}

function showSetting(
  cli: CliContext,
  { source, words, drift, by, at, until, reason, endedAt, endedWhy, givesWay }: ShownSetting,
): void {
  cli.line('')
  cli.line(`${source ?? 'everyone'}:`)
  for (const one of words) cli.line(wrapped(`  - ${one}`, 4))
  if (drift) cli.line(wrapped(`  seed ${drift.seed}`, 4))
  const till = until === undefined ? 'until it is cleared' : `until ${shownTime(until)}`
  cli.line(wrapped(`  by ${by}, ${shownTime(at)}, ${till}: ${reason}`, 4))
  if (givesWay) cli.line('  gives way to what an administrator set for everyone')
  if (endedAt !== undefined) cli.line(wrapped(`  ended ${shownTime(endedAt)}: ${endedWhy}`, 4))
}

function showDrift(cli: CliContext, one: Shown, source?: string): void {
  cli.details(
    [
      ['decoy', one.decoy],
      ['name', `${one.hostname} at ${one.ip}`],
      ['segment', one.segmentName],
      ['drift', one.settings.length === 0 ? 'none' : undefined],
    ].filter(([, value]) => value !== undefined) as [string, string][],
  )
  for (const setting of one.settings) showSetting(cli, setting)
  cli.line('')
  cli.line(`What is expected where ${source ?? 'everyone'} looks:`)
  showPorts(cli, one.ports, 'after')
  if (one.history.length === 0) return
  cli.line('')
  cli.line('Earlier:')
  for (const setting of one.history.slice(0, mostEarlier)) showSetting(cli, setting)
}

function showCleared(cli: CliContext, { hostname, settings, left = 0, dryRun }: Changed): void {
  if (settings.length === 0) cli.line(`No such drift was in force at ${hostname}.`)
  for (const { source, words } of settings)
    cli.line(wrapped(`${dryRun ? 'would end' : 'ended'}, for ${source ?? 'everyone'}: ${words.join('; ')}`, 4))
  if (left > 0) cli.line(wrapped(`${left} more in force; \`marshlight drift clear ${hostname} --all\` ends all.`, 4))
  if (dryRun) cli.line('Nothing was changed.')
}

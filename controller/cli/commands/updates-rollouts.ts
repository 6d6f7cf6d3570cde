import { type Command, Option } from 'commander'
import type { Planned } from '../../updates/index.ts'
import type { CliContext } from '../context.ts'
import { parseDuration, parseNumber } from '../duration.ts'
import { wrapped } from '../print.ts'
import { type AskedRing, parsePercent, parseRate, parseRings } from '../rings.ts'
import { shownBytes } from '../shown-bytes.ts'
import { statusCommand } from './updates-status.ts'

type PlanOptions = {
  rings: AskedRing[]
  gate: number
  enough: number
  tolerate: number
  atOnce?: number
  wait: number
  confirm: number
  bandwidth?: number
  older?: boolean
  start?: boolean
  dryRun?: boolean
}
type Changed = { id: string; version: string; status: string; boxesChanged: number }

const path = (rollout: string, verb: string, dryRun?: boolean) =>
  `/v1/rollouts/${encodeURIComponent(rollout)}/${verb}${dryRun ? '?dryRun=1' : ''}`

export function rolloutCommands(updates: Command, cli: CliContext): void {
  updates
    .command('plan <version>')
    .description('who would get a release when; stored, and started by `start`')
    .addOption(withDefault('--rings <rings>', 'who, one after the other', parseRings, '5%,25%,100%'))
    .addOption(withDefault('--gate <time>', 'how long a ring stays well before the next', parseDuration, '30m'))
    .addOption(withDefault('--enough <share>', 'of a ring, that has to confirm', parsePercent, '100%'))
    .addOption(withDefault('--tolerate <share>', 'of a ring, that may break', parsePercent, '5%'))
    .option('--at-once <n>', 'boxes of a ring that install together', parseNumber(1, 10_000))
    .addOption(withDefault('--wait <time>', 'after that a ring goes on without who is away', parseDuration, '1h'))
    .addOption(withDefault('--confirm <time>', 'a box that is not well by then goes back', parseDuration, '10m'))
    .option('--bandwidth <rate>', 'most that a box takes from its line: 500kB/s', parseRate)
    .option('--older', 'let boxes go to a release below what they run')
    .option('--start', 'start it, too')
    .option('--dry-run', 'store nothing')
    .addHelpText(
      'after',
      `
A ring is agents, tags and a share of the fleet, which counts the rings before
it: NAME=tag:TAG|AGENT|10%. Shares are drawn anew for each rollout.

A ring installs few boxes at a time: were all of them to break, one more than
--tolerate would be lost, and the rollout pauses. Who is away is late, not
waited for beyond --wait, and gets the release when it comes back; but of each
ring at least one box has to confirm.

Example:
  marshlight updates plan 1.4.2 \\
    --rings 'canary=tag:canary|office-1,10%,50%,100%' \\
    --gate 30m --bandwidth 500kB/s`,
    )
    .action(async (version: string, o: PlanOptions) => {
      const body = {
        ...{ version, rings: o.rings, gateMinutes: o.gate, enough: o.enough, tolerate: o.tolerate },
        ...{ waitMinutes: o.wait, confirmMinutes: o.confirm, allowOlder: o.older === true },
        ...(o.atOnce !== undefined && { atOnce: o.atOnce }),
        ...(o.bandwidth !== undefined && { bytesPerSecond: o.bandwidth }),
      }
      const planned = await cli.api.post<Planned>(`/v1/rollouts${o.dryRun ? '?dryRun=1' : ''}`, body)
      const started = o.start && !o.dryRun ? await cli.api.post<Changed>(path(planned.id, 'start')) : undefined
      cli.show(started ? { ...planned, status: started.status } : planned, () => {
        showPlanned(cli, planned)
        const short = planned.id.slice(-8)
        if (o.dryRun) cli.line('Nothing was stored; the real plan draws its shares anew.')
        else if (started) cli.line(`Started. Watch it: \`marshlight updates status ${short} --watch\`.`)
        else cli.line(`Stored as ${short}. Next: \`marshlight updates start ${short}\`.`)
      })
    })

  verb('start', 'begin a planned rollout', 'Started')
  verb('pause', 'hold it; boxes that have not begun stay as they are', 'Paused')
  verb('abort', 'end it; boxes that took the release keep it', 'Aborted')

  updates
    .command('resume <rollout>')
    .description('go on with a paused one')
    .option('--tolerate <share>', 'of a ring, that may break from now on', parsePercent)
    .option('--dry-run', 'only say what would happen')
    .addHelpText('after', '\nExample:\n  marshlight updates resume 4f21c09a --tolerate 10%')
    .action(async (rollout: string, { tolerate, dryRun }: { tolerate?: number; dryRun?: boolean }) => {
      const body = tolerate === undefined ? {} : { tolerate }
      const done = await cli.api.post<Changed>(path(rollout, 'resume', dryRun), body)
      cli.show(done, () => cli.line(wordsOf('Resumed', done, dryRun)))
    })

  updates
    .command('rollback <rollout>')
    .description('bring the boxes that took it to the release before, at once')
    .option('--to <version>', 'another release that is here')
    .option('--dry-run', 'only say what would happen')
    .addHelpText('after', '\nExample:\n  marshlight updates rollback 4f21c09a --dry-run')
    .action(async (rollout: string, { to, dryRun }: { to?: string; dryRun?: boolean }) => {
      const body = to === undefined ? {} : { to }
      const done = await cli.api.post<Changed & { by: string; to: string; boxes: number; kept: string[] }>(
        path(rollout, 'rollback', dryRun),
        body,
      )
      cli.show(done, () => {
        cli.line(
          `${dryRun ? 'Would bring' : 'Brings'} ${done.boxes} box(es) from ${done.version} to ${done.to}` +
            `${dryRun ? '' : `, as rollout ${done.by.slice(-8)}`}.`,
        )
        if (done.kept.length > 0)
          cli.line(wrapped(`Release ${done.to} does not hold these, which stay: ${done.kept.join(', ')}.`, 2))
      })
    })

  statusCommand(updates, cli)

  function verb(name: string, what: string, done: string): void {
    updates
      .command(`${name} <rollout>`)
      .description(what)
      .option('--dry-run', 'only say what would happen')
      .addHelpText('after', `\nExample:\n  marshlight updates ${name} 4f21c09a`)
      .action(async (rollout: string, { dryRun }: { dryRun?: boolean }) => {
        const changed = await cli.api.post<Changed>(path(rollout, name, dryRun))
        cli.show(changed, () => cli.line(wordsOf(done, changed, dryRun)))
      })
  }
}

/** An option whose help shows its default as people write it. */
const withDefault = (flags: string, what: string, parse: (text: string) => unknown, text: string): Option =>
  new Option(flags, what).argParser(parse).default(parse(text), text)

const wordsOf = (done: string, { id, version, boxesChanged }: Changed, dryRun: boolean | undefined): string =>
  `${dryRun ? 'Would be: ' : ''}${done} rollout ${id.slice(-8)} of ${version}` +
  `${boxesChanged > 0 ? `; ${boxesChanged} box(es) have other orders` : ''}.`

function showPlanned(cli: CliContext, { rings, leftOut, untouched, atLeastMinutes }: Planned): void {
  cli.table(
    ['RING', 'BOXES', 'FETCHES', 'WHO'],
    rings.map(({ name, boxes }) => {
      const bytes = boxes.flatMap(({ needs }) => needs).reduce((sum, one) => sum + one.bytes, 0)
      return [name, boxes.length, shownBytes(bytes), boxes.map((one) => one.name).join(', ') || undefined]
    }),
  )
  const needs = Map.groupBy(
    rings.flatMap(({ boxes }) => boxes),
    ({ needs: some }) => some.map(({ component, version }) => `${component} ${version}`).join(', ') || 'nothing new',
  )
  for (const [what, some] of needs) cli.line(`${some.length} box(es) need ${what}.`)
  for (const { name, why } of leftOut) cli.line(wrapped(`${name} is left out: ${why}.`, 2))
  if (untouched > 0) cli.line(`${untouched} box(es) are in no ring and stay as they are.`)
  cli.line(`It takes at least ${minutesText(atLeastMinutes)}, and the time that boxes take to fetch and install.`)
}

const minutesText = (minutes: number): string =>
  minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`

import { writeFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { MarshlightError, wordsOf } from '../../../shared/errors.ts'
import { forTerminal } from '../../../shared/terminal.ts'
import type { CapturedFile, Session, TimelineEntry } from '../../sessions/index.ts'
import type { CliCommand, CliContext } from '../context.ts'
import { parseNumber, shownTime, withQuery } from '../duration.ts'

type Shown = Session & { hostname: string | null; ttys: string[]; timeline: TimelineEntry[] }
type Replay = { session: string; startedAt: string; complete: boolean; frames: { atMs: number; text: string }[] }
type ReplayOptions = { speed: number; maxPause: number; rawFile?: string }

export const sessionsCommand: CliCommand = (program, cli) => {
  const sessions = program
    .command('sessions')
    .description('What attackers did at the decoys, connection by connection.')

  sessions
    .command('ls', { isDefault: true })
    .description('list sessions, newest first')
    .option('--source <ip>', 'of this address')
    .option('--decoy <id>', 'at this decoy (id or host name)')
    .option('--since <time>', 'still going on at or after this time (2026-01-31T12:00:00Z)')
    .option('--until <time>', 'begun at or before this time')
    .option('--text <words>', 'with a command that holds these words')
    .option('--success', 'only those that logged in')
    .option('--audit', 'those of our own audits and test touches as well')
    .option('--limit <n>', 'at most so many', parseNumber(1, 1000), 50)
    .addHelpText(
      'after',
      '\nExamples:\n  marshlight sessions ls --source 198.18.1.66\n  marshlight sessions ls --text wget --success',
    )
    .action(async (options: Record<string, string | number | boolean>) => {
      const { items } = await cli.api.get<{ items: Session[] }>(withQuery('/v1/sessions', options))
      cli.show(items, () =>
        cli.table(
          ['SESSION', 'LAST', 'SOURCE', 'SERVICE', 'USER', 'CMDS'],
          items.map((one) => [
            one.session,
            shownTime(one.last_at)?.slice(0, 19),
            one.source ?? undefined,
            one.audit === null ? one.service : `${one.service} (audit)`,
            one.username === null ? undefined : `${one.username}${one.success ? '' : ' (refused)'}`,
            one.commands,
          ]),
        ),
      )
    })

  sessions
    .command('show <session>')
    .description('one session with its timeline')
    .addHelpText('after', '\nExample:\n  marshlight sessions show a1b2c3')
    .action(async (id: string) => {
      const one = await cli.api.get<Shown>(`/v1/sessions/${encodeURIComponent(id)}`)
      cli.show(one, () => showSession(cli, one))
    })

  sessions
    .command('replay <session>')
    .description('play back what the attacker saw, made safe for this terminal')
    .option('--speed <factor>', 'so many times as fast; 0 for at once', parseNumber(0, 1000), 1)
    .option('--max-pause <seconds>', 'shorten longer pauses to this', parseNumber(0, 3600), 3)
    .option('--raw-file <file>', 'write it unfiltered to FILE as an asciicast instead (play with asciinema)')
    .addHelpText(
      'after',
      '\nExamples:\n  marshlight sessions replay a1b2c3 --speed 4\n  marshlight sessions replay a1b2c3 --raw-file session.cast',
    )
    .action(async (id: string, options: ReplayOptions) => {
      const path = `/v1/sessions/${encodeURIComponent(id)}`
      if (options.rawFile === undefined) return replay(cli, await cli.api.get<Replay>(`${path}/replay`), options)
      await save(options.rawFile, await cli.api.bytes(`${path}/asciicast`))
      cli.show({ file: options.rawFile }, () =>
        cli.line(`Written to ${forTerminal(options.rawFile ?? '')}. It is raw: play it where that does no harm.`),
      )
    })

  sessions
    .command('files [sha256]')
    .description('files that attackers brought: list, show one, or write it to a file')
    .option('--out <file>', 'write its bytes to FILE (mode 0600); nothing of it is ever printed')
    .option('--limit <n>', 'at most so many', parseNumber(1, 1000), 50)
    .addHelpText(
      'after',
      '\nExamples:\n  marshlight sessions files\n  marshlight sessions files 9f86d0 --out sample.bin',
    )
    .action(async (sha256: string | undefined, options: { out?: string; limit: number }) => {
      if (sha256 === undefined) return listFiles(cli, options.limit)
      const path = `/v1/files/${encodeURIComponent(sha256)}`
      const file = await cli.api.get<CapturedFile & { sessions: string[] }>(path)
      const { out } = options
      if (out !== undefined) await save(out, await cli.api.bytes(`${path}/data`))
      cli.show({ ...file, ...(out !== undefined && { out }) }, () => {
        if (out !== undefined)
          return cli.line(`${file.sha256} written to ${forTerminal(out)}. It may be malicious: never run it here.`)
        cli.details([
          ['sha256', file.sha256],
          ['bytes', file.size ?? file.stored ?? undefined],
          ['kept here', file.stored === null ? 'not yet' : `${file.stored} bytes`],
          ['from', file.name ?? undefined],
          ['first', shownTime(file.first_at)],
          ['last', shownTime(file.last_at)],
          ['sessions', file.sessions.join(' ')],
        ])
      })
    })
}

async function listFiles(cli: CliContext, limit: number): Promise<void> {
  const { items } = await cli.api.get<{ items: CapturedFile[] }>(withQuery('/v1/files', { limit }))
  cli.show(items, () =>
    cli.table(
      ['SHA256', 'LAST', 'BYTES', 'TIMES', 'FROM'],
      items.map((file) => [
        file.sha256.slice(0, 12),
        shownTime(file.last_at)?.slice(0, 19),
        file.size ?? undefined,
        file.times,
        file.name ?? undefined,
      ]),
    ),
  )
}

function showSession(cli: CliContext, one: Shown): void {
  cli.details([
    ['session', one.session],
    ['decoy', `${one.hostname ?? ''} ${one.decoy}`.trim()],
    ['service', one.service],
    ['source', one.source === null ? undefined : `${one.source}:${one.source_port ?? '?'}`],
    ['target', one.dst === null ? undefined : `${one.dst}:${one.dst_port ?? '?'}`],
    ['opened', shownTime(one.opened_at ?? one.first_at)],
    ['closed', shownTime(one.closed_at)],
    ['client', one.client_version ?? undefined],
    ['hassh', one.hassh ?? undefined],
    ['log-in', one.success ? `as ${one.username ?? '?'} after ${one.tries} tries` : `${one.tries} tries, none let in`],
    ['files', one.downloads + one.uploads],
    ['recording', one.ttys.length > 0 ? `marshlight sessions replay ${one.session}` : 'none'],
  ])
  cli.line('')
  cli.table(
    ['TIME', 'EVENT', 'WHAT'],
    one.timeline.map((entry) => [entry.at.slice(11, 23), entry.kind, whatOf(entry)]),
  )
}

const whatOf = ({ text, username, password, sha256 }: TimelineEntry): string | undefined =>
  username !== null ? `${username} / ${password ?? ''}` : (text ?? sha256 ?? undefined)

async function replay(cli: CliContext, recorded: Replay, options: ReplayOptions): Promise<void> {
  if (cli.json()) return cli.show(recorded, () => undefined)
  let before = 0
  for (const { atMs, text } of recorded.frames) {
    const waitMs = Math.min(atMs - before, options.maxPause * 1000)
    before = atMs
    if (options.speed > 0 && waitMs > 0) await pause(waitMs / options.speed)
    cli.raw(text)
  }
  cli.raw('\u001b[0m\n')
  if (!recorded.complete) cli.line('(The recording ends here; its end was cut off.)')
}

/** Writes a new file that only its owner may read. Throws CONFLICT where one is there. */
async function save(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new MarshlightError('CONFLICT', { what: `${path} is there already`, next: 'Name another file.' })
    throw new MarshlightError('DISK_READ_ONLY', { path, why: wordsOf(error), option: '--out' })
  }
}

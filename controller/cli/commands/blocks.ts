import type { Command } from 'commander'
import type { BlockResult, Decision, Enforcement, Unenforced } from '../../response/index.ts'
import type { CliCommand, CliContext } from '../context.ts'
import { parseDuration, parseNumber, shownTime, withQuery } from '../duration.ts'
import { wrapped } from '../print.ts'

type Shown = Omit<Decision, 'evidence'> & {
  evidence: { words: string }[]
  enforcement: (Enforcement & { latencyMs: number })[]
  unenforced: Unenforced[]
}
type AddOptions = { for?: number; reason: string; dryRun?: boolean }

export const blocksCommand: CliCommand = (program, cli) => {
  const blocks = program.command('blocks').description('Decisions to block a source, and where they are enforced.')

  blocks
    .command('ls', { isDefault: true })
    .description('list blocks (or all decisions), newest first')
    .option('--status <status>', 'active, proposed, expired, undone or refused')
    .option('--kind <kind>', 'block, deploy, reconfigure or all', 'block')
    .option('--limit <n>', 'at most so many', parseNumber(1, 1000), 50)
    .addHelpText('after', '\nExamples:\n  marshlight blocks ls --status active\n  marshlight blocks ls --kind all')
    .action(async (options: Record<string, string | number>) => {
      const { items } = await cli.api.get<{ items: Decision[] }>(withQuery('/v1/blocks', options))
      cli.show(items, () =>
        cli.table(
          ['ID', 'KIND', 'TARGET', 'STATUS', 'UNTIL', 'BY'],
          items.map((one) => [one.id, one.kind, one.target, one.status, shownTime(one.expires_at), one.made_by]),
        ),
      )
    })

  blocks
    .command('show <id>')
    .description('one decision: reasons, and where it is enforced (by id or address)')
    .addHelpText('after', '\nExample:\n  marshlight blocks show 198.18.1.66')
    .action(async (key: string) => {
      const one = await cli.api.get<Shown>(pathOf(key))
      cli.show(one, () => showDecision(cli, one))
    })

  blocks
    .command('accept <id>')
    .description('let a proposed block take effect')
    .option('--dry-run', 'show what the rails say, and change nothing')
    .addHelpText('after', '\nExample:\n  marshlight blocks accept 198.18.1.66')
    .action(async (key: string, { dryRun = false }: { dryRun?: boolean }) => {
      const path = withQuery(`${pathOf(key)}/accept`, { dryRun: dryRun ? 1 : undefined })
      const result = await cli.api.post<BlockResult>(path)
      cli.show(result, () => cli.line(wordsOf(result, dryRun)))
    })

  addVerb(blocks.command('add <ip>'), cli, 'marshlight blocks add')
  addVerb(program.command('block <ip>'), cli, 'marshlight block')
  undoVerb(blocks.command('undo <id>').alias('remove'), cli, 'marshlight blocks undo')
  undoVerb(program.command('unblock <id>'), cli, 'marshlight unblock')
}

function addVerb(command: Command, cli: CliContext, name: string): void {
  command
    .description('block an address or a network (up to /24), for a time')
    .option('--for <time>', 'how long: 30m, 2h, 7d (else as configured)', parseDuration)
    .option('--reason <text>', 'why', 'by an administrator')
    .option('--dry-run', 'show what the rails say, and change nothing')
    .addHelpText(
      'after',
      `\nExamples:\n  ${name} 198.18.1.66 --for 1h --reason "password attack"\n  ${name} 198.18.1.0/26 --dry-run`,
    )
    .action(async (ip: string, options: AddOptions) => {
      const dryRun = options.dryRun === true
      const result = await cli.api.post<BlockResult>(withQuery('/v1/blocks', { dryRun: dryRun ? 1 : undefined }), {
        cidr: ip,
        reason: options.reason,
        ...(options.for !== undefined && { minutes: options.for }),
      })
      cli.show(result, () => cli.line(wordsOf(result, dryRun)))
    })
}

function undoVerb(command: Command, cli: CliContext, name: string): void {
  command
    .description('undo a block (by id or address), a deploy or reconfigure of risk (by id), or a proposal')
    .option('--dry-run', 'show which it is, and change nothing')
    .addHelpText('after', `\nExample:\n  ${name} 198.18.1.66`)
    .action(async (key: string, options: { dryRun?: boolean }) => {
      const one = await cli.api.delete<Decision & { what: string }>(
        withQuery(pathOf(key), { dryRun: options.dryRun ? 1 : undefined }),
      )
      cli.show(one, () => {
        cli.line(
          options.dryRun
            ? `Would undo the ${one.kind} of ${one.target} (${one.status}).`
            : `The ${one.kind} of ${one.target} is ${one.status}.`,
        )
        cli.line(wrapped(`${options.dryRun ? 'It would be so' : 'Done'}: ${one.what}.`, 2))
      })
    })
}

const pathOf = (key: string) => `/v1/blocks/${encodeURIComponent(key)}`

function wordsOf({ decision, renewed }: BlockResult, dryRun: boolean): string {
  const verb = dryRun ? 'Would block' : renewed ? 'Block renewed:' : 'Blocked'
  return `${verb} ${decision.target} until ${shownTime(decision.expires_at)} (${decision.id.slice(0, 13)}).`
}

function showDecision(cli: CliContext, one: Shown): void {
  cli.details([
    ['decision', one.id],
    ['kind', one.kind],
    ['target', one.target],
    ['status', `${one.status}${one.ended_why ? `: ${one.ended_why}` : ''}`],
    [
      'made',
      `${shownTime(one.made_at)} by ${one.made_by}${one.score === null ? '' : ` at risk ${Math.round(one.score)}`}`,
    ],
    ['until', shownTime(one.expires_at)],
    ['reason', one.reason],
    ['outcome', one.outcome ?? undefined],
  ])
  for (const { words } of one.evidence) cli.details([['  because', words]])
  if (one.kind !== 'block') return
  cli.line('')
  for (const { name, agent, why } of one.unenforced)
    cli.line(`NOT enforced by ${name ?? agent}: ${unenforcedWords[why]}`)
  if (one.enforcement.length === 0) cli.line('No agent has read it back from its kernel yet.')
  else
    cli.table(
      ['AGENT', 'ENFORCED', 'AFTER MS', 'LIFTED'],
      one.enforcement.map((where) => [
        where.name ?? where.agent,
        shownTime(where.enforced_at),
        where.latencyMs,
        shownTime(where.lifted_at),
      ]),
    )
}

const unenforcedWords = {
  refused: 'it never blocks this (agents show).',
  expired: 'over by its clock; set its clock (timedatectl).',
}

import { systemClock } from '../../../shared/clock.ts'
import type { AuditFinding } from '../../../shared/schemas/audit.ts'
import type { ShownRun } from '../../api/routes/audits.ts'
import type { CliCommand, CliContext } from '../context.ts'
import { withQuery } from '../duration.ts'
import { wrapped } from '../print.ts'
import { shownTime } from '../shown-time.ts'
import { isOpen, waitForRuns } from '../wait-for-runs.ts'

type Full = ShownRun & { findings: AuditFinding[] }
type Where = { all?: boolean; segment?: string; dryRun?: boolean; equal?: boolean }

/** `decoys audit`, `audits`, `touch`: beside the other commands on decoys. */
export const decoysAuditCommand: CliCommand = (program, cli) => {
  const decoys = program.commands.find((one) => one.name() === 'decoys')
  if (!decoys) throw new Error('the command `decoys` has to be there first')

  decoys
    .command('audit [decoy]')
    .description('look at decoys as a suspicious neighbour would, and score them')
    .option('--all', 'every decoy')
    .option('--segment <segment>', 'every decoy of this segment')
    .option('--equal', 'show also what was as expected')
    .option('--dry-run', 'only say which')
    .addHelpText('after', '\nExamples:\n  marshlight decoys audit web07\n  marshlight decoys audit --segment office')
    .action(async (decoy: string | undefined, { all, segment, dryRun, equal }: Where) => {
      const ended = await ask(cli, { kind: 'audit', decoy, segment, all }, dryRun)
      if (!ended) return
      const full = await Promise.all(ended.map(({ id }) => cli.api.get<Full>(`/v1/audits/${id}`)))
      if (full.some(({ status }) => status !== 'done')) process.exitCode = 1
      cli.show(full, () => {
        for (const run of full) showAudit(cli, run, equal === true)
        if (full.length > 1) summary(cli, full)
      })
    })

  decoys
    .command('touch [decoy]')
    .description('one real connection and log-in, weighed as an attacker’s: does an alert come, and how fast')
    .option('--all', 'every decoy')
    .option('--segment <segment>', 'every decoy of this segment')
    .option('--dry-run', 'only say which')
    .addHelpText('after', '\nExample:\n  marshlight decoys touch web07')
    .action(async (decoy: string | undefined, { all, segment, dryRun }: Where) => {
      const ended = await ask(cli, { kind: 'touch', decoy, segment, all }, dryRun)
      if (!ended) return
      if (ended.some(({ status }) => status !== 'done')) process.exitCode = 1
      cli.show(ended, () => summary(cli, ended))
    })

  decoys
    .command('audits <decoy>')
    .description('its audits and touches so far, newest first')
    .option('--limit <n>', 'at most so many', '20')
    .addHelpText('after', '\nExample:\n  marshlight decoys audits web07')
    .action(async (decoy: string, { limit }: { limit: string }) => {
      const { items } = await cli.api.get<{ items: ShownRun[] }>(withQuery('/v1/audits', { decoy, limit }))
      cli.show(items, () => summary(cli, items))
    })
}

/** Asks for runs and waits for their ends, telling how far they are. Undefined after a dry run, which it shows itself. */
async function ask(
  cli: CliContext,
  wish: object,
  dryRun: boolean | undefined,
): Promise<readonly ShownRun[] | undefined> {
  const asked = await cli.api.post<{ items: ShownRun[] }>(`/v1/audits${dryRun ? '?dryRun=1' : ''}`, wish)
  if (dryRun) {
    cli.show(asked.items, (items) => {
      cli.table(
        ['NAME', 'ADDRESS'],
        items.map(({ hostname, decoyIp }) => [hostname, decoyIp]),
      )
      cli.line('Nothing was looked at.')
    })
    return undefined
  }
  const ids = asked.items.map(({ id }) => id)
  // Of a whole fleet in pieces: they stand in the address, and Node takes 16 KiB of that.
  const pieces = Array.from({ length: Math.ceil(ids.length / 200) }, (_, at) => ids.slice(at * 200, at * 200 + 200))
  const runsOf = async (some: string[]) =>
    (await cli.api.get<{ items: ShownRun[] }>(withQuery('/v1/audits', { ids: some.join(',') }))).items
  return waitForRuns(asked.items, {
    clock: systemClock,
    read: async () => (await Promise.all(pieces.map(runsOf))).flat(),
    pausing(runs, pause) {
      const current = runs.find(({ status }) => status === 'running') ?? runs.find(isOpen)
      const done = runs.filter((run) => !isOpen(run)).length
      return cli.progress(`${done} of ${runs.length} done, ${current?.hostname} is ${current?.status}`, pause)
    },
  })
}

function showAudit(cli: CliContext, run: Full, equal: boolean): void {
  const { findings } = run
  cli.details([
    ['decoy', `${run.hostname} at ${run.decoyIp}, persona version ${run.personaVersion ?? '?'}`],
    ['score', run.score === undefined ? `none: ${run.why ?? run.status}` : `${run.score} of 100`],
    ['beside', run.beside === undefined ? undefined : run.beside.join(', ') || 'no real host of its kind'],
    ['took', run.tookMs === undefined ? undefined : `${Math.round(run.tookMs / 1000)} s`],
    ['followed', run.outcome],
  ])
  if (findings.length === 0) {
    cli.line('')
    return
  }
  const areas = Map.groupBy(findings, ({ area }) => area)
  const count = (some: readonly AuditFinding[], verdict: string) => some.filter((one) => one.verdict === verdict).length
  cli.line('')
  cli.table(
    ['AREA', 'EQUAL', 'DIFFERS', 'UNKNOWN'],
    [...areas].map(([area, some]) => [area, ...['equal', 'differs', 'unknown'].map((word) => count(some, word))]),
  )
  cli.line('')
  const shown = findings.filter(({ verdict }) => verdict === 'differs' || equal)
  for (const one of shown.sort((a, b) => rank(a) - rank(b) || b.weight - a.weight)) {
    cli.line(wrapped(`${one.verdict === 'differs' ? `-${one.weight}` : one.verdict}  ${one.probe}: ${one.words}`, 6))
    if (one.verdict !== 'differs') continue
    cli.line(wrapped(`      seen: ${one.seen.slice(0, 160)}`, 12))
    cli.line(wrapped(`      expected: ${one.expected.slice(0, 160)}`, 16))
  }
  cli.line('')
}

const rank = ({ verdict }: AuditFinding) => ['differs', 'equal', 'unknown'].indexOf(verdict)

const summary = (cli: CliContext, runs: readonly ShownRun[]): void =>
  cli.table(
    ['TIME', 'NAME', 'WHAT', 'WHY', 'STATUS', 'RESULT'],
    runs.map((run) => [
      shownTime(run.endedAt ?? run.createdAt),
      run.hostname,
      run.kind,
      run.reason,
      run.status,
      resultOf(run),
    ]),
  )

/** What an attacker's connection would have come to, by the thresholds and exceptions that are set. */
const touchOutcomes: Record<string, string> = {
  alert: 'an alert',
  'if-repeated': 'an alert if repeated,',
  below: 'no alert: too little risk,',
  exempt: 'no alert: exempt,',
}

function resultOf({ kind, status, score, latencyMs, why, outcome }: ShownRun): string | undefined {
  if (status !== 'done') return why
  if (kind === 'touch') return `${touchOutcomes[outcome ?? 'alert'] ?? outcome} after ${Math.round(latencyMs ?? 0)} ms`
  return `${score} of 100${outcome === undefined || outcome === 'kept' ? '' : `, ${outcome}`}`
}

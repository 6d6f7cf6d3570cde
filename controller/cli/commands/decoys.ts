import type { LastLook } from '../../audit/index.ts'
import type { ActionEntry, Decoy, PhaseEntry } from '../../decoys/index.ts'
import type { CliCommand } from '../context.ts'
import { changeDecoy } from '../decoy-change.ts'
import { shownTime } from '../shown-time.ts'

type Listed = Decoy & { segmentName?: string; agentName?: string; family?: string; phase: string; look: LastLook }
type Shown = Listed & { system?: string; ssh?: string; telnet: boolean; phases: PhaseEntry[]; actions: ActionEntry[] }

export const decoysCommand: CliCommand = (program, cli) => {
  const decoys = program.command('decoys').description('The decoys: where they are, how they are, and changes to them.')

  decoys
    .command('ls', { isDefault: true })
    .description('all decoys')
    .addHelpText('after', '\nExamples:\n  marshlight decoys\n  marshlight decoys ls --segment office --retired')
    .option('--segment <segment>', 'only in this segment')
    .option('--retired', 'those that are no more as well')
    .action(async ({ segment, retired }: { segment?: string; retired?: boolean }) => {
      const query = new URLSearchParams({ retired: retired ? '1' : '0', ...(segment !== undefined && { segment }) })
      cli.show(await cli.api.get<{ items: Listed[] }>(`/v1/decoys?${query}`), ({ items }) =>
        cli.table(
          ['NAME', 'ADDRESS', 'SEGMENT', 'PHASE', 'SYSTEM', 'SCORE', 'TOUCH'],
          items.map((one) => [
            one.hostname,
            one.ip,
            one.segmentName,
            one.phase,
            one.family,
            one.look.score,
            touchWords(one.look),
          ]),
        ),
      )
    })

  decoys
    .command('show <decoy>')
    .description('one decoy, by name, address or id, with its history')
    .addHelpText('after', '\nExample:\n  marshlight decoys show 10.0.0.93')
    .action(async (ref: string) => {
      cli.show(await cli.api.get<Shown>(`/v1/decoys/${encodeURIComponent(ref)}`), (one) => {
        cli.details([
          ['decoy', one.id],
          ['name', one.hostname],
          ['address', `${one.ip} (${one.mac})`],
          ['segment', `${one.segmentName ?? one.segment}, ${one.cidr}`],
          ['appliance', one.agentName],
          ['system', one.system],
          ['services', [one.ssh, one.telnet ? 'telnet' : undefined].filter(Boolean).join(', ')],
          ['persona', `${one.persona} version ${one.personaVersion}`],
          ['phase', [one.phase, one.condemned?.why ?? one.state?.reason].filter(Boolean).join(': ')],
          ['next', one.condemned && nextOf(one)],
          ['restarts', one.state?.restarts],
          ['made', `${shownTime(one.createdAt)} by ${one.origin}: ${one.reason}`],
          ['audit', auditWords(one.look)],
          ['touch', [touchWords(one.look), shownTime(one.look.touchedAt)].filter(Boolean).join(', ') || undefined],
          ['goes', shownTime(one.retireAt ?? one.retiredAt)],
        ])
        cli.line('')
        cli.table(
          ['TIME', 'PHASE', 'ADDRESS', 'REASON'],
          one.phases.map(({ at, phase, ip, reason }) => [shownTime(at), phase, ip, reason]),
        )
        cli.line('')
        cli.table(
          ['TIME', 'ACTION', 'WHAT', 'WHY'],
          one.actions.map(({ at, action, what, reason }) => [shownTime(at), action, what, reason]),
        )
      })
    })

  decoys
    .command('deploy')
    .description('one more decoy in a segment')
    .requiredOption('--segment <segment>', 'where')
    .option('--family <id>', 'what it shall be (see `personas catalogue`); else like its neighbours')
    .option('--reason <text>', 'why, for the record')
    .option('--dry-run', 'only say what would be deployed')
    .addHelpText('after', '\nExample:\n  marshlight decoys deploy --segment office --dry-run')
    .action(async (wish: { segment: string; family?: string; reason?: string; dryRun?: boolean }) => {
      const { segment, family, reason, dryRun } = wish
      await changeDecoy(cli, '/v1/decoys', dryRun, { segment, family, reason })
    })

  const verbs = [
    ['reconfigure', 'another version of its persona; nothing restarts'],
    ['move', 'another address'],
    ['retire', 'take it away'],
    ['release', 'let it come up again after it was taken down as unsafe'],
  ] as const
  for (const [verb, words] of verbs)
    decoys
      .command(`${verb} <decoy>`)
      .description(words)
      .option('--reason <text>', 'why, for the record')
      .option('--dry-run', 'only say what would change')
      .addHelpText('after', `\nExample:\n  marshlight decoys ${verb} web07 --dry-run`)
      .action(async (ref: string, { reason, dryRun }: { reason?: string; dryRun?: boolean }) => {
        await changeDecoy(cli, `/v1/decoys/${encodeURIComponent(ref)}/${verb}`, dryRun, { reason })
      })
}

const nextOf = ({ hostname }: Decoy): string =>
  `mend the cause; then \`marshlight decoys release ${hostname}\`, or \`retire\``

const auditWords = ({ score, auditedAt }: LastLook): string | undefined =>
  score === undefined ? undefined : `${score} of 100, ${shownTime(auditedAt)}`

const touchWords = ({ touchMs, touchLost }: LastLook): string | undefined => {
  if (touchLost) return 'LOST'
  return touchMs === undefined ? undefined : `${Math.round(touchMs)} ms`
}

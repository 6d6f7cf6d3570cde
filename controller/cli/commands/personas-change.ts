import type { Command } from 'commander'
import { MarshlightError } from '../../../shared/errors.ts'
import type { CliContext } from '../context.ts'
import { changeDecoy } from '../decoy-change.ts'

type Rebuilt = {
  hostname: string
  version: number
  digest: string
  kept: string
  equal: boolean
  changed: string[]
  persona: unknown
}

/** Commands that change which version a decoy shows, or prove what a version was made from. */
export function personaChanges(personas: Command, cli: CliContext): void {
  const path = (ref: string, verb: string) => `/v1/personas/${encodeURIComponent(ref)}/${verb}`

  personas
    .command('approve <persona>')
    .description('let the newest version be shown, where approval is manual')
    .option('--reason <text>', 'why, for the record')
    .option('--dry-run', 'only say what would change')
    .addHelpText('after', '\nExample:\n  marshlight personas approve web07')
    .action(async (ref: string, { reason, dryRun }: { reason?: string; dryRun?: boolean }) => {
      await changeDecoy(cli, path(ref, 'approve'), dryRun, { reason })
    })

  personas
    .command('rollback <persona> <version>')
    .description('an earlier version again, as the next one; nothing restarts')
    .option('--reason <text>', 'why, for the record')
    .option('--dry-run', 'only say what would change')
    .addHelpText('after', '\nExample:\n  marshlight personas rollback web07 1')
    .action(async (ref: string, version: string, { reason, dryRun }: { reason?: string; dryRun?: boolean }) => {
      await changeDecoy(cli, path(ref, 'rollback'), dryRun, { version: Number(version), reason })
    })

  personas
    .command('rebuild <persona>')
    .description('make a version again from seed, template and inventory as they were kept')
    .option('--version-number <n>', 'an earlier version')
    .option('--check', 'only say whether it is equal bit for bit; fails where it is not')
    .addHelpText('after', '\nExample:\n  marshlight personas rebuild web07 --check')
    .action(async (ref: string, { versionNumber, check }: { versionNumber?: string; check?: boolean }) => {
      const query = versionNumber === undefined ? '' : `?version=${encodeURIComponent(versionNumber)}`
      const { persona, ...found } = await cli.progress(
        'building',
        cli.api.get<Rebuilt>(`${path(ref, 'rebuild')}${query}`),
      )
      cli.show(check ? found : { ...found, persona }, ({ hostname, version, digest, kept, equal, changed }) =>
        cli.details([
          ['persona', `${hostname} version ${version}`],
          ['stored', kept],
          ['built again', digest],
          ['equal', equal ? 'yes, bit for bit' : 'no'],
          ['since then', changed.join('; ') || 'nothing it is made from changed'],
        ]),
      )
      if (check && !found.equal)
        throw new MarshlightError('CONFLICT', {
          what: `version ${found.version} of ${found.hostname} was not built again as it is stored`,
          next: found.changed[0] ? `Cause: ${found.changed[0]}.` : 'Look at `marshlight personas diff`.',
        })
    })
}

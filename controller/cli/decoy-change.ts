import type { Done } from '../decoys/index.ts'
import type { CliContext } from './context.ts'

/** Asks for a change of one decoy at this path of the API and shows what was done, or would be. */
export async function changeDecoy(
  cli: CliContext,
  path: string,
  dryRun: boolean | undefined,
  wish: object,
): Promise<void> {
  const asked = cli.api.post<Done & { dryRun: boolean }>(`${path}${dryRun ? '?dryRun=1' : ''}`, wish)
  cli.show(await cli.progress('changing', asked), ({ action, what, hostname, ip, personaVersion, dryRun: only }) => {
    cli.details([
      [only ? 'would' : 'done', action],
      ['what', what],
      ['decoy', `${hostname} at ${ip}, persona version ${personaVersion}`],
    ])
    if (only) cli.line('Nothing was changed.')
  })
}

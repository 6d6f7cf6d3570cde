import { MarshlightError } from '../../shared/errors.ts'
import { ownArchitecture } from '../deb/architectures.ts'
import { command } from './command.ts'

/** Throws COMMAND_FAILED where this machine does not run programs of `architecture`, which what `what` installs does meanwhile. */
export async function mustRunProgramsOf(architecture: string, what: string): Promise<void> {
  const own = ownArchitecture()
  if (architecture === own) return
  await command('arch-test', [architecture]).catch(() => {
    throw new MarshlightError('COMMAND_FAILED', {
      command: what,
      why: `this machine (${own}) runs no programs of ${architecture}: QEMU is not registered for them`,
      next: `Run \`npm run setup -- --images\`, or do it on a machine of ${architecture}.`,
    })
  })
}

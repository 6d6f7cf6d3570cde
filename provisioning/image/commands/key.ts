import type { ImageCommand } from '../show.ts'
import { makeKeyFiles } from '../signing-files.ts'

export const keyCommand: ImageCommand = (group, show) =>
  group
    .command('key')
    .description('make a key that signs packages and images, and what verifies them')
    .requiredOption('--out <file>', 'where the key goes; its public part goes beside it, as FILE.pub')
    .action(async (o: { out: string }) => {
      const made = await makeKeyFiles(o.out)
      show(made, [
        `key     ${made.key}  (keep it secret, and keep a copy)`,
        `public  ${made.publicKey}`,
        `id      ${made.id}`,
      ])
    })

import type { ImageCommand } from '../show.ts'
import { verifyBeside } from '../signing-files.ts'

export const verifyCommand: ImageCommand = (group, show) =>
  group
    .command('verify')
    .description('whether a package, an image or its SBOM is what was signed')
    .argument('<file>', 'the package, image or SBOM')
    .requiredOption('--pubkey <file>', 'public key of who signed it')
    .option('--signature <file>', 'its signature (default: FILE.minisig)')
    .addHelpText('after', '\nThe same as: minisign -Vm FILE -p PUBKEY')
    .action(async (file: string, o: { pubkey: string; signature?: string }) => {
      const { pubkey: publicKey, signature } = o
      const good = await verifyBeside(file, { publicKey, ...(signature !== undefined && { signature }) })
      show(good, [`${good.file} is what key ${good.key} signed.`])
    })

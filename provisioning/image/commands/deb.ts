import { join, relative } from 'node:path'
import { createProgress } from '../../build/progress.ts'
import { architectureOf, ownArchitecture } from '../../deb/architectures.ts'
import { buildDeb } from '../../deb/build.ts'
import type { ImageCommand } from '../show.ts'
import { signBeside } from '../signing-files.ts'

const projectRoot = join(import.meta.dirname, '../../..')

export const debCommand: ImageCommand = (group, show) =>
  group
    .command('deb')
    .description('the agent as a Debian package, with a Node of its own')
    .option('--arch <name>', 'amd64 or arm64', ownArchitecture())
    .option('--out <dir>', 'folder for the package', join(projectRoot, 'dist'))
    .option('--key <file>', 'sign it with this key (`marshlight image key`)')
    .action(async (o: { arch: string; out: string; key?: string }) => {
      const architecture = architectureOf(o.arch)
      const deb = await buildDeb({ architecture, projectRoot, out: o.out, progress: createProgress() })
      const signature = o.key === undefined ? undefined : await signBeside(deb.file, o.key)
      const mb = (deb.bytes / 1e6).toFixed(1)
      show({ ...deb, ...(signature !== undefined && { signature }) }, [
        `${relative('', deb.file)}`,
        `  ${mb} MB, ${deb.built ? 'built' : 'up to date'}`,
        `  sha256 ${deb.sha256}`,
        signature === undefined ? '  not signed: --key FILE signs it' : `  signed: ${relative('', signature)}`,
        'Next: sh provisioning/install.sh --deb FILE, on the appliance.',
      ])
    })

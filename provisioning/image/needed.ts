import { stat, statfs } from 'node:fs/promises'
import { MarshlightError } from '../../shared/errors.ts'
import { command } from '../build/command.ts'
import { mustRunProgramsOf } from '../build/foreign.ts'
import { ownArchitecture } from '../deb/architectures.ts'

/** Programs an image is made with, and the Debian packages they come in. */
const tools = {
  mmdebstrap: 'mmdebstrap',
  mksquashfs: 'squashfs-tools',
  'mkfs.vfat': 'dosfstools',
  mcopy: 'mtools',
  sfdisk: 'fdisk',
  mke2fs: 'e2fsprogs',
  zstd: 'zstd',
} as const

/** What a build takes at its fullest, beside the images of decoys, which stand there twice: as they are and pressed. */
const rootBytes = 4 * 2 ** 30

/** Throws what keeps this machine from making an image, before anything is begun. */
export async function needed(o: { architecture: string; folder: string; images?: string }): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new MarshlightError('RIGHTS_MISSING', {
      what: '`marshlight image build`',
      right: 'root, whose files the image holds',
      next: 'Run it with sudo.',
    })
  const foreign = ownArchitecture() !== o.architecture
  const missing: string[] = []
  for (const [tool, name] of Object.entries({ ...tools, ...(foreign && { 'arch-test': 'arch-test' }) }))
    await command('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${tool}`]).catch(() => missing.push(name))
  if (missing.length > 0)
    throw new MarshlightError('COMMAND_FAILED', {
      command: 'marshlight image build',
      why: `these packages are missing: ${missing.join(' ')}`,
      next: `apt-get install ${missing.join(' ')}, or sh provisioning/setup/dev.sh --images`,
    })
  // What is installed in the image runs its own programs meanwhile.
  await mustRunProgramsOf(o.architecture, 'marshlight image build')
  if (o.images !== undefined) await decoysFit(o.images, o.architecture)
  const images = o.images === undefined ? 0 : 2 * (await decoysBytes(o.images))
  const { bavail, bsize } = await statfs(o.folder)
  const short = rootBytes + images - bavail * bsize
  if (short > 0)
    throw new MarshlightError('DISK_FULL', {
      path: `${o.folder}: ${gib(rootBytes + images)} are needed, ${gib(bavail * bsize)} are free`,
    })
}

/** Throws where the images, which are all of one kind of processor, are for another. */
export async function decoysFit(folder: string, architecture: string): Promise<void> {
  await decoysBytes(folder)
  const inside = async (name: string) => JSON.parse(await command('tar', ['-xOf', `${folder}/decoys.tar`, name]))
  const [image] = (await inside('manifest.json')) as { Config: string }[]
  const made = image && ((await inside(image.Config)) as { architecture?: string }).architecture
  if (made !== architecture)
    throw new MarshlightError('COMMAND_FAILED', {
      command: 'marshlight image build',
      why: `${folder}/decoys.tar holds images for ${made}, the image is for ${architecture}`,
      next: `Make them with \`npm run images -- --arch ${architecture}\`, or leave --images out.`,
    })
}

async function decoysBytes(folder: string): Promise<number> {
  const there = await Promise.all(['decoys.tar', 'decoys.list'].map((name) => stat(`${folder}/${name}`))).catch(
    () => undefined,
  )
  if (there) return there[0]?.size ?? 0
  throw new MarshlightError('NOT_FOUND', {
    kind: 'decoys.tar with decoys.list in',
    value: folder,
    command: 'npm run images',
  })
}

const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`

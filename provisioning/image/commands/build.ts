import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { Option } from 'commander'
import { parseNumber } from '../../../controller/cli/duration.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { parseEnrolmentFile } from '../../../shared/schemas/enrolment-file.ts'
import { unreadable } from '../../../shared/system-errors.ts'
import { createProgress } from '../../build/progress.ts'
import { architectureOf } from '../../deb/architectures.ts'
import { type BuiltImage, buildImage } from '../build.ts'
import { unlistedWords } from '../decoy-packages.ts'
import { daysSince } from '../rootfs.ts'
import type { ImageCommand } from '../show.ts'
import { signBeside } from '../signing-files.ts'

type Options = {
  arch: string
  out: string
  images?: string
  enrolment?: string
  site?: string
  releaseKey?: string
  key?: string
  fresh?: boolean
  packagesAge?: number
}

const projectRoot = join(import.meta.dirname, '../../..')
/** Debian mends what is urgent within days. */
const oldDays = 14

export const buildCommand: ImageCommand = (group, show) =>
  group
    .command('build')
    .description('a bootable image of Debian 13 with the agent (as root)')
    .option('--arch <name>', 'amd64, or arm64 for Raspberry Pi', 'amd64')
    .option('--images <dir>', 'decoys’ images to preload: decoys.tar, decoys.list')
    .option('--enrolment <file>', 'enrolment file of the one box it is for')
    .addOption(new Option('--site <file>', 'the same').conflicts('enrolment'))
    .option('--release-key <file>', 'public key that updates are signed by')
    .option('--out <dir>', 'folder for the image', join(projectRoot, 'dist'))
    .option('--key <file>', 'sign it with this key (`marshlight image key`)')
    .option('--packages-age <days>', 'fetch Debian’s packages anew where they are older', parseNumber(0, 3650))
    .option('--fresh', 'fetch them anew in any case')
    .action(async (o: Options) => {
      const architecture = architectureOf(o.arch)
      const { images, out, releaseKey } = o
      const olderThan = o.fresh ? 0 : o.packagesAge
      const file = o.enrolment ?? o.site
      const enrolment = file === undefined ? undefined : await enrolmentIn(file)
      const made = await buildImage({
        ...{ architecture, projectRoot, out, progress: createProgress() },
        ...(images !== undefined && { images }),
        ...(enrolment !== undefined && { enrolment }),
        ...(releaseKey !== undefined && { releaseKey }),
        ...(olderThan !== undefined && { packagesOlderThanDays: olderThan }),
      })
      const { decoys, ...files } = made
      const signed = o.key === undefined ? [] : await signMade(made, o.key)
      show({ ...files, ...(signed.length > 0 && { signatures: signed }) }, [
        relative('', made.file),
        `  ${(made.bytes / 1e6).toFixed(0)} MB, ${(made.diskBytes / 2 ** 20).toFixed(0)} MiB on the disk`,
        `  root sha256 ${made.rootSha256.slice(0, 32)}`,
        `              ${made.rootSha256.slice(32)}`,
        `  root alone, for updates: ${relative('', made.system)}`,
        `  packages in ${relative('', made.sbom)}`,
        ...unlistedWords(decoys, architecture),
        ...packagesAge(new Date(made.packagesFetchedAt)),
        ...(images === undefined ? ['  no decoys’ images in it: a release has to bring them'] : []),
        ...(signed.length === 0
          ? ['  not signed: --key FILE signs it, for `agents invite --pubkey` and for boxes']
          : []),
        ...signed.map((file) => `  signed: ${relative('', file)}`),
      ])
    })

/** All that leaves the building: the image, the root for updates, and what is told of them. */
export async function signMade(made: Pick<BuiltImage, 'file' | 'system' | 'sbom'>, key: string): Promise<string[]> {
  const signed: string[] = []
  for (const file of [made.file, made.system, made.sbom]) signed.push(await signBeside(file, key))
  return signed
}

/** The file's text, which is one by which a box can enrol. */
async function enrolmentIn(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error) => {
    if (error.code !== 'ENOENT' && error.code !== 'EISDIR') throw unreadable(error, file, 'marshlight agents invite')
    throw new MarshlightError('USAGE', {
      what: `${file} is no file; here a box's enrolment file is wanted, which \`marshlight agents invite --out DIR/\` writes`,
      command: 'marshlight image build',
    })
  })
  parseEnrolmentFile(text, file)
  return text
}

/** How old Debian's packages are: they lack what was mended since. */
export function packagesAge(fetchedAt: Date, now = Date.now()): string[] {
  const days = Math.floor(daysSince(fetchedAt, now))
  const day = fetchedAt.toISOString().slice(0, 10)
  const told = `  Debian packages of ${day}, ${days === 1 ? '1 day' : `${days} days`} old`
  return days < oldDays ? [told] : [`${told}: WITHOUT SECURITY FIXES SINCE`, '  get them with --fresh']
}

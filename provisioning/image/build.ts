import { chmod, copyFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256Of } from '../../shared/files.ts'
import { clearLeft, makeWork } from '../../shared/work-folder.ts'
import type { Progress } from '../build/progress.ts'
import type { Architecture } from '../deb/architectures.ts'
import { buildDeb } from '../deb/build.ts'
import { readLock, shippedPackages } from '../deb/npm-lock.ts'
import { sourceDate } from '../deb/source-date.ts'
import { decoyPackages } from './decoy-packages.ts'
import { makeDisk, pressed, squashRoot } from './disk.ts'
import { needed } from './needed.ts'
import { layRoot } from './root.ts'
import { debianRoot } from './rootfs.ts'
import { type DecoyImage, installedPackages, sbom } from './sbom.ts'

export type ImageOptions = {
  architecture: Architecture
  projectRoot: string
  out: string
  progress: Progress
  /** Folder with decoys.tar and decoys.list. */
  images?: string
  /** The text of an enrolment file for the one box that this image is for. */
  enrolment?: string
  /** The public key that releases for these boxes are signed by. */
  releaseKey?: string
  /** Debian's packages are fetched anew where they are older; without it, kept as long as their list is the same. */
  packagesOlderThanDays?: number
}
export type BuiltImage = {
  file: string
  /** The root alone: the system's part of a release. */
  system: string
  sbom: string
  bytes: number
  diskBytes: number
  rootSha256: string
  packagesFetchedAt: string
  /** Of the images of decoys in it. */
  decoys: readonly DecoyImage[]
}

/** The image of an appliance, pressed, with its SBOM, and its root alone. All of it appears at the end, or nothing. */
export async function buildImage(o: ImageOptions): Promise<BuiltImage> {
  const { architecture, projectRoot, out, progress, images, enrolment, releaseKey, packagesOlderThanDays } = o
  const cache = join(projectRoot, '.cache/appliance')
  for (const folder of [cache, out]) await mkdir(folder, { recursive: true })
  // Of builds that were killed: before it is seen how much is free.
  await clearLeft(cache, 'work')
  await needed({ architecture, folder: cache, ...(images !== undefined && { images }) })
  const { version } = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8')) as { version: string }
  const epoch = await sourceDate(projectRoot)
  // Unpacked again at once: packing it would only take time.
  const packages = join(cache, 'package')
  const deb = await buildDeb({ architecture, projectRoot, out: packages, progress, compression: 'none' })
  const debian = await debianRoot({
    ...{ architecture, cache, progress },
    ...(packagesOlderThanDays !== undefined && { olderThanDays: packagesOlderThanDays }),
  })
  const work = await makeWork(cache, 'work')
  try {
    const decoys =
      images === undefined
        ? undefined
        : await progress('packages of the decoys’ images', () => decoyPackages(join(images, 'decoys.tar'), work))
    const root = join(work, 'root')
    const at = { architecture, root, work, epoch }
    const laid = {
      ...{ architecture, tar: debian.file, version, deb: deb.file },
      packagesOf: debian.fetchedAt.toISOString().slice(0, 10),
      ...(images !== undefined && { images }),
      ...(releaseKey !== undefined && { releaseKey }),
    }
    await progress('root file system', () => layRoot(root, laid))
    const squash = await progress('root, compressed', () => squashRoot(at))
    const rootSha256 = await sha256Of(squash)
    const name = `marshlight-${version}-${architecture}`
    const disk = join(work, `${name}.img`)
    await progress('disk', () => makeDisk(disk, squash, { ...at, ...(enrolment !== undefined && { enrolment }) }))
    const packed = await progress('image, compressed', () => pressed(disk))
    const status = await readFile(join(root, 'var/lib/dpkg/status'), 'utf8')
    const npm = shippedPackages(await readLock(projectRoot))
    const list = sbom({
      name: `marshlight-${architecture}`,
      version,
      epoch,
      rootSha256,
      debian: installedPackages(status),
      npm,
      ...(decoys && { decoys }),
    })
    const made = {
      file: join(out, `${name}.img.zst`),
      system: join(out, `marshlight-system_${version}_${architecture}.squashfs`),
      sbom: join(out, `${name}.spdx.json`),
    }
    const { size: diskBytes } = await stat(disk)
    // `out` may be on another disk, where nothing can be moved to.
    await rm(disk)
    await writeFile(made.sbom, list)
    await moved(squash, made.system)
    await moved(packed, made.file)
    // An enrolment file is a secret, and so is what it lies in.
    if (enrolment !== undefined) await chmod(made.file, 0o600)
    const { size: bytes } = await stat(made.file)
    return {
      ...made,
      bytes,
      diskBytes,
      rootSha256,
      packagesFetchedAt: debian.fetchedAt.toISOString(),
      decoys: decoys ?? [],
    }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
async function moved(from: string, to: string): Promise<void> {
  await copyFile(from, `${to}.unfinished`)
  await rename(`${to}.unfinished`, to)
  await rm(from)
}

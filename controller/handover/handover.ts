import { rmSync } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MarshlightError } from '../../shared/errors.ts'
import { sha256Of, syncFolder, writeFileAtomic } from '../../shared/files.ts'
import { enrolmentFileName, type SiteSettings } from '../../shared/schemas/enrolment-file.ts'
import { plainly } from '../../shared/system-errors.ts'
import { clearLeft, makeWork } from '../../shared/work-folder.ts'
import { type Arch, type BaseImage, openBase } from './base-image.ts'
import { copyBase, putFile } from './device-images.ts'
import { enrolmentText, type Invited, nextNumber, numbered, stemOf } from './enrolment-files.ts'
import { qrAsSvg } from './qr.ts'

export type HandoverOptions = {
  /** Folder for one file a box; made where it is not there. */
  folder: string
  site: string
  segment: string
  count: number
  settings: SiteSettings
  /** Of the box, where it was given a name. */
  name?: string
  /** An image of which each box gets a copy with its file in it. */
  image?: string
  publicKey?: string
  arch?: Arch
  /** The folder is a USB stick: the file is called what a box looks for. */
  stick?: boolean
  qr?: boolean
  dryRun?: boolean
}
export type Handover = {
  base: BaseImage | undefined
  /** What an earlier one that was killed had begun: removed, or in words why not. */
  left: { removed: string[]; stays: string[] }
  /** Writes what each invited box needs; gives the files by invitation. */
  deliver(invited: readonly Invited[]): Promise<string[][]>
  close(): Promise<void>
}

const workName = '.marshlight'
/** Whoever breaks it off wants no images of gigabytes left, and no claim. */
const stopSignals = ['SIGINT', 'SIGTERM'] as const

/**
 * Makes ready what boxes are given, then writes it:
 *
 *   prepare: folder, base sound and copied -> (claims are made) -> deliver: file into each copy -> renamed to their names -> close
 *
 * All that is likely to fail comes before a claim is made. A name in the folder means that what bears it is whole; what was
 * begun stands in a folder of its own, which goes at the end, or with the next one where this one was killed.
 */
export async function prepareHandover(o: HandoverOptions): Promise<Handover> {
  const { folder, image, stick } = o
  if (stick && !(await isFolder(folder)))
    throw new MarshlightError('USAGE', {
      what: `${folder} is no folder: is the stick mounted?`,
      command: 'marshlight agents invite',
    })
  if (stick && (await stat(join(folder, enrolmentFileName)).catch(() => undefined)))
    throw new MarshlightError('CONFLICT', {
      what: `${join(folder, enrolmentFileName)} is there already, for a box that did not take it`,
      next: 'Remove it, or take another stick.',
    })
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw plainly(error)
  })
  const left = o.dryRun ? { removed: [], stays: [] } : await clearLeft(folder, workName)
  const work = await makeWork(folder, workName).catch((error) => {
    throw plainly(error)
  })
  const stopped = (signal: NodeJS.Signals) => {
    rmSync(work, { recursive: true, force: true })
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  for (const signal of stopSignals) process.once(signal, stopped)
  const close = async () => {
    for (const signal of stopSignals) process.off(signal, stopped)
    await rm(work, { recursive: true, force: true })
  }
  try {
    const { publicKey, arch } = o
    const base =
      image === undefined
        ? undefined
        : await openBase(image, { work, ...(publicKey !== undefined && { publicKey }), ...(arch && { arch }) })
    const copies = base && !o.dryRun ? await copyBase(base, o.count, work) : []
    return { base, left, close, deliver: (invited) => deliver(o, work, base, copies, invited) }
  } catch (error) {
    await close()
    throw plainly(error)
  }
}

async function deliver(
  o: HandoverOptions,
  work: string,
  base: BaseImage | undefined,
  copies: readonly string[],
  invited: readonly Invited[],
): Promise<string[][]> {
  const { folder, settings, stick } = o
  const stem = stemOf(o.site, o.segment)
  const first = await nextNumber(folder, stem)
  const made: string[][] = []
  for (const [i, one] of invited.entries()) {
    const called = numbered(stem, first + i)
    const text = enrolmentText(one, settings, o.name ?? called)
    const files: string[] = []
    const copy = copies[i]
    if (base && copy) {
      const file = join(folder, `${called}.img`)
      await putFile(copy, base.offset, text, work)
      const sum = await sha256Of(copy)
      await rename(copy, file)
      // As sha256sum writes and checks it. It tells nothing of the claim in the image.
      await writeFileAtomic(`${file}.sha256`, `${sum}  ${called}.img\n`, 0o644)
      files.push(file, `${file}.sha256`)
    } else {
      const file = join(folder, stick ? enrolmentFileName : `${called}.json`)
      await writeFileAtomic(file, text, 0o600)
      files.push(file)
    }
    const svg = o.qr ? ((await qrAsSvg(JSON.stringify(JSON.parse(text)))) ?? (await qrAsSvg(one.token))) : undefined
    if (svg !== undefined) {
      const file = join(folder, `${called}.svg`)
      await writeFileAtomic(file, svg, 0o600)
      files.push(file)
    }
    made.push(files)
  }
  await syncFolder(folder)
  return made
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

import { chmod, open, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MarshlightError } from '../../shared/errors.ts'
import { enrolmentFileName } from '../../shared/schemas/enrolment-file.ts'
import type { BaseImage } from './base-image.ts'
import { program } from './program.ts'

/**
 * Copies of the base in `work`. Holes stay holes, and where the file system shares blocks nothing is copied at all; an unpacked
 * base becomes the last copy itself. Made before anything is claimed, since this is what a full disk ends. Throws DISK_FULL.
 */
export async function copyBase(base: BaseImage, count: number, work: string): Promise<string[]> {
  const copies: string[] = []
  for (let i = 0; i < count; i++) {
    const copy = join(work, `${i}.img`)
    const isLast = base.unpacked && i === count - 1
    if (isLast) await rename(base.file, copy)
    else await program('cp', ['--reflink=auto', '--sparse=always', '--', base.file, copy], work)
    // It will hold a claim.
    await chmod(copy, 0o600)
    copies.push(copy)
  }
  return copies
}

/** Writes the enrolment file into the FAT partition of `image`, and reads it back. It comes to mtools by a file, never as an argument. */
export async function putFile(image: string, offset: number, text: string, work: string): Promise<void> {
  const [source, back] = [join(work, 'in.json'), join(work, 'back.json')]
  const fat = ['-i', `${image}@@${offset}`]
  try {
    await writeFile(source, text, { mode: 0o600 })
    await program('mcopy', ['-o', ...fat, source, `::${enrolmentFileName}`], work)
    await writeFile(back, '', { mode: 0o600 })
    await program('mcopy', ['-n', '-o', ...fat, `::${enrolmentFileName}`, back], work)
    const disk = await open(back)
    const same = (await disk.readFile('utf8')) === text
    await disk.close()
    if (!same)
      throw new MarshlightError('IMAGE_UNFIT', { file: image, why: 'what was written into it reads otherwise' })
  } finally {
    for (const file of [source, back]) await rm(file, { force: true })
  }
  const written = await open(image, 'r+')
  try {
    await written.sync()
  } finally {
    await written.close()
  }
}

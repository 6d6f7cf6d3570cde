import { type FileHandle, open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { enrolmentLabel } from '../../shared/schemas/enrolment-file.ts'
import { verifySignedFile } from '../../shared/signed-file.ts'
import { unreadable } from '../../shared/system-errors.ts'
import { fatLabel } from './fat.ts'
import { type Partition, readTable, TableUnusable } from './partition-table.ts'
import { program } from './program.ts'

export type Arch = 'amd64' | 'arm64'
/** `file` is the image as it is written to a card; `offset` where its FAT partition for the enrolment file begins. */
export type BaseImage = { file: string; offset: number; arch: Arch | undefined; unpacked: boolean }

const zstdMagic = 0xfd2fb528
/** Discoverable Partitions Specification: the type of a root partition says for which processor it is. */
const rootTypes: Record<string, Arch> = {
  '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709': 'amd64',
  'B921B045-1DF0-41C3-AF44-4C6F280D3FAE': 'arm64',
}
/** What firmware starts, by its name on a FAT partition. */
const bootFiles: [RegExp, Arch][] = [
  [/BOOTX64\s+EFI/i, 'amd64'],
  [/BOOTAA64\s+EFI|kernel8\s+img/i, 'arm64'],
]

/**
 * The image that copies are made of: verified where a key is given, unpacked into `work` where it is packed, with a sound
 * partition table and a place for the enrolment file. Throws IMAGE_UNSIGNED, IMAGE_ALTERED, IMAGE_UNFIT.
 */
export async function openBase(
  given: string,
  o: { work: string; publicKey?: string; arch?: Arch },
): Promise<BaseImage> {
  if (o.publicKey !== undefined) await verifyBase(given, o.publicKey)
  const packed = (await firstBytes(given, 4)).readUInt32LE(0) === zstdMagic
  const file = packed ? join(o.work, 'base.img') : given
  if (packed)
    await program('zstd', ['-d', '-q', '-f', '--sparse', given, '-o', file], o.work).catch((error) => {
      if ((error as { code?: string }).code !== 'COMMAND_FAILED' || /not here/.test(wordsOf(error))) throw error
      throw unfit(given, `it cannot be unpacked: ${wordsOf(error)}`)
    })
  const image = await open(file)
  try {
    const { size } = await image.stat()
    const { partitions } = await readTable((at, bytes) => readFrom(image, at, bytes), size)
    const fats: { part: Partition; label: string }[] = []
    for (const part of partitions) {
      const label = fatLabel(await readFrom(image, part.start, 512))
      if (label !== undefined) fats.push({ part, label })
    }
    const [place, other] = fats.filter(({ label }) => label === enrolmentLabel)
    const labels = fats.map(({ label }) => label).join(', ') || 'none at all'
    if (!place || other)
      throw unfit(
        given,
        `it has ${other ? 'two FAT partitions' : 'no FAT partition'} called ${enrolmentLabel} (${labels})`,
      )
    const arch = await archOf(
      file,
      partitions,
      fats.map(({ part }) => part),
      o.work,
    )
    if (o.arch !== undefined && arch !== o.arch)
      throw unfit(
        given,
        arch ? `it is for ${arch}, ${o.arch} was asked for` : `it does not say that it is for ${o.arch}`,
      )
    return { file, offset: place.part.start, arch, unpacked: packed }
  } catch (error) {
    if (error instanceof TableUnusable) throw unfit(given, error.message)
    throw error
  } finally {
    await image.close()
  }
}

const unfit = (file: string, why: string) => new MarshlightError('IMAGE_UNFIT', { file, why })

async function verifyBase(file: string, publicKeyFile: string): Promise<void> {
  const text = (path: string) =>
    readFile(path, 'utf8').catch((error) => {
      throw unreadable(error, path, 'marshlight image key')
    })
  const beside = `${file}.minisig`
  const found = await readFile(beside, 'utf8').catch(() => undefined)
  await verifySignedFile(file, { path: publicKeyFile, text: await text(publicKeyFile) }, { path: beside, text: found })
}

/** By the type of its root, else by what its firmware starts. */
async function archOf(
  file: string,
  partitions: readonly Partition[],
  fats: readonly Partition[],
  work: string,
): Promise<Arch | undefined> {
  const byRoot = partitions.map(({ type }) => rootTypes[type]).find((arch) => arch !== undefined)
  if (byRoot) return byRoot
  for (const { start } of fats) {
    const names = await program('mdir', ['-/', '-i', `${file}@@${start}`, '::'], work).catch(() => '')
    const found = bootFiles.find(([name]) => name.test(names))
    if (found) return found[1]
  }
  return undefined
}

async function firstBytes(file: string, bytes: number): Promise<Buffer> {
  const found = await stat(file).catch((error) => {
    throw unreadable(error, file, 'marshlight image build')
  })
  if (!found.isFile() || found.size < bytes) throw unfit(file, found.isFile() ? 'it is empty' : 'it is no file')
  const opened = await open(file)
  try {
    return await readFrom(opened, 0, bytes)
  } finally {
    await opened.close()
  }
}

/** All of it, or the image ends before. */
async function readFrom(image: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await image.read(Buffer.alloc(bytes), 0, bytes, offset)
  if (bytesRead < bytes) throw new TableUnusable(`it is cut off: it ends before byte ${offset + bytes}`)
  return buffer
}

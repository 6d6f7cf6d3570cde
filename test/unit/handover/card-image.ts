import { execFile } from 'node:child_process'
import { open, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const exec = promisify(execFile)
const mib = 2 ** 20
const env = {
  ...process.env,
  PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
  MTOOLSRC: '/dev/null',
  MTOOLS_SKIP_CHECK: '1',
}
const run = (name: string, ...args: string[]) => exec(name, args, { env })

/** A FAT of `label` at `startMiB`, with empty files of these names in it. */
export type Fat = { startMiB: number; sizeMiB: number; label: string; files?: string[] }

/** A small image as sfdisk divides it by `script`, with file systems as mkfs.vfat makes them. */
export async function cardImage(folder: string, name: string, script: string, fats: readonly Fat[], sizeMiB = 48) {
  const file = join(folder, name)
  await writeFile(file, '')
  await truncate(file, sizeMiB * mib)
  const table = join(folder, `${name}.table`)
  await writeFile(table, script)
  await run('sh', '-c', 'sfdisk --quiet "$1" < "$2"', 'sh', file, table)
  for (const { startMiB, sizeMiB: size, label, files = [] } of fats) {
    const fat = join(folder, `${label}.fat`)
    await writeFile(fat, '')
    await truncate(fat, size * mib)
    await run('mkfs.vfat', '-n', label, fat)
    const empty = join(folder, 'empty')
    await writeFile(empty, 'x')
    for (const path of files) {
      const folders = path.split('/').slice(0, -1)
      for (let i = 1; i <= folders.length; i++)
        await run('mmd', '-D', 's', '-i', fat, `::${folders.slice(0, i).join('/')}`)
      await run('mcopy', '-i', fat, empty, `::${path}`)
    }
    await run('dd', `if=${fat}`, `of=${file}`, 'bs=1M', `seek=${startMiB}`, 'conv=sparse,notrunc', 'status=none')
  }
  return file
}

/** What a box reads from the FAT at `startMiB`. */
export const readBack = async (image: string, startMiB: number, name: string): Promise<string> =>
  (await run('mtype', '-i', `${image}@@${startMiB}M`, `::${name}`)).stdout

export const pack = async (image: string): Promise<string> => {
  await run('zstd', '-q', '-f', image, '-o', `${image}.zst`)
  return `${image}.zst`
}

/** GPT as the images for PCs have it: places for firmware, root and the site's file, in MiB. */
export const gpt = (root = '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709') => `label: gpt
unit: sectors
start=2048, size=16384, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name="boot"
start=18432, size=16384, type=${root}, name="root-A"
start=40960, size=32768, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, name="site"
`
export const gptFats: Fat[] = [
  { startMiB: 1, sizeMiB: 8, label: 'MARSHBOOT', files: ['EFI/BOOT/BOOTX64.EFI'] },
  { startMiB: 20, sizeMiB: 16, label: 'MARSHLIGHT' },
]
/** MBR as a Raspberry Pi wants it; the site's file in a logical partition, after the fourth. */
export const mbr = `label: dos
unit: sectors
start=2048, size=16384, type=c, bootable
start=18432, size=8192, type=83
start=26624, size=4096, type=83
start=32768, size=60000, type=5
start=34816, size=8192, type=83
start=49152, size=32768, type=c
`
export const mbrFats: Fat[] = [
  { startMiB: 1, sizeMiB: 8, label: 'BOOTFS', files: ['kernel8.img', 'config.txt'] },
  { startMiB: 24, sizeMiB: 16, label: 'MARSHLIGHT' },
]

export async function flipByte(file: string, at: number): Promise<void> {
  const opened = await open(file, 'r+')
  try {
    const { buffer } = await opened.read(Buffer.alloc(1), 0, 1, at)
    buffer[0] = (buffer[0] ?? 0) ^ 0xff
    await opened.write(buffer, 0, 1, at)
  } finally {
    await opened.close()
  }
}

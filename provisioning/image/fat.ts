import { rm, truncate, writeFile } from 'node:fs/promises'
import { command } from '../build/command.ts'

/** An empty FAT in `file`. The firmware of boards takes 32 bits or 16, Windows shows either. */
export async function fat(file: string, o: { label: string; id: string; sizeMiB: number; bits?: 32 }): Promise<string> {
  await rm(file, { force: true })
  await writeFile(file, '')
  await truncate(file, o.sizeMiB * 2 ** 20)
  const bits = o.bits === undefined ? [] : ['-F', String(o.bits), '-s', '2']
  await command('mkfs.vfat', ['--invariant', ...bits, '-n', o.label, '-i', o.id, file])
  return file
}

/** Puts files into a FAT, by its own paths. */
export function copier(fatFile: string, epoch: number) {
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(epoch), MTOOLS_SKIP_CHECK: '1' }
  return {
    folders: (...names: string[]) => command('mmd', ['-i', fatFile, ...names.map((name) => `::${name}`)], { env }),
    // -L would copy a link's target; mcopy follows the links that /vmlinuz and /initrd.img are by itself.
    file: (from: string, to: string) => command('mcopy', ['-i', fatFile, from, `::${to}`], { env }),
  }
}

import { createHash } from 'node:crypto'
import { chmod, copyFile, lutimes, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Architecture } from './architectures.ts'
import { type Entry, folders, maintainerScripts } from './contents.ts'
import { controlFile, md5sums } from './control.ts'

/**
 * Lays the package out in `folder` as dpkg-deb wants it, every file and folder of the one time `epoch`, whoever's umask
 * this is. Owners are dpkg-deb's to set (--root-owner-group).
 */
export async function stage(
  folder: string,
  o: { entries: readonly Entry[]; version: string; architecture: Architecture; epoch: number },
): Promise<void> {
  const hashes = new Map<string, string>()
  let bytes = 0
  for (const entry of o.entries) {
    const path = await place(folder, entry)
    hashes.set(entry.path, await md5(path))
    bytes += (await stat(path)).size
  }
  for (const name of folders) await mkdir(join(folder, name), { recursive: true })
  const control = join(folder, 'DEBIAN')
  for (const script of maintainerScripts) await place(control, script)
  await writeFile(join(control, 'control'), controlFile({ ...o, installedKb: Math.ceil(bytes / 1024) }))
  await writeFile(join(control, 'md5sums'), md5sums(hashes))
  await chmod(join(control, 'control'), 0o644)
  await chmod(join(control, 'md5sums'), 0o644)
  await settle(folder, o.epoch)
}

async function place(folder: string, entry: Entry): Promise<string> {
  const path = join(folder, entry.path)
  await mkdir(dirname(path), { recursive: true })
  if ('from' in entry) await copyFile(entry.from, path)
  else await writeFile(path, entry.content)
  await chmod(path, entry.mode)
  return path
}

/** Modes of folders and times of all, from the inside out: what is made in a folder changes its time. */
async function settle(folder: string, epoch: number): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await settle(path, epoch)
    else await lutimes(path, epoch, epoch)
  }
  await chmod(folder, 0o755)
  await lutimes(folder, epoch, epoch)
}

/** The hash that dpkg checks files by; no protection, which is the signature's work. */
const md5 = async (path: string): Promise<string> =>
  createHash('md5')
    .update(await readFile(path))
    .digest('hex')

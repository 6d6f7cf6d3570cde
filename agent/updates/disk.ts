import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFolder, writeFileAtomic } from '../../shared/files.ts'

/** All that updates change durably on disk goes through here: a test breaks off between any two of these. */
export interface Disk {
  /** Whole or not at all. */
  write(path: string, text: string): Promise<void>
  remove(path: string): Promise<void>
  /** On one file system; replaces nothing but a file. */
  move(from: string, to: string): Promise<void>
}

export const realDisk: Disk = {
  write: (path, text) => writeFileAtomic(path, text, 0o600),
  async remove(path) {
    await rm(path, { recursive: true, force: true })
    await syncFolder(dirname(path)).catch(() => undefined)
  },
  async move(from, to) {
    await mkdir(dirname(to), { recursive: true })
    await rename(from, to)
    await syncFolder(dirname(to))
  },
}

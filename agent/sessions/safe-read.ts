import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises'

/**
 * Files that a decoy wrote. Whoever took it over may have put a link, a pipe or a device there, so only regular files in
 * real folders are opened, and opening never waits.
 */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Runs `work` on the file, or gives undefined where there is no regular file of that name. */
export async function withFile<T>(path: string, work: (file: FileHandle, stats: Stats) => Promise<T>) {
  let file: FileHandle
  try {
    file = await open(path, flags)
  } catch (error) {
    // ELOOP: a link. ENXIO: a pipe or socket.
    if (['ENOENT', 'ELOOP', 'ENXIO', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
  try {
    const stats = await file.stat()
    return stats.isFile() ? await work(file, stats) : undefined
  } finally {
    await file.close()
  }
}

/** Names in the folder; none where there is no real folder. */
export async function namesIn(folder: string): Promise<string[]> {
  const stats = await lstat(folder).catch(() => undefined)
  return stats?.isDirectory() ? readdir(folder) : []
}

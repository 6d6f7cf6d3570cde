import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Replaces `path` by `content` so that a crash leaves the old or the new, never a part: write, fsync, rename, fsync the folder. */
export async function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporary = await written(path, content, mode)
  await rename(temporary, path)
  await syncFolder(dirname(path))
}

/** Makes `path` with `content` unless it is there: whoever comes second finds what the first one wrote, whole. */
export async function writeFileOnce(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporary = await written(path, content, mode)
  try {
    await link(temporary, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(temporary, { force: true })
  }
  await syncFolder(dirname(path))
}

/** `content` in a file beside `path`, on the disk. Its name is its own: two parts of a process may write the same file. */
async function written(path: string, content: string | Uint8Array, mode: number): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`
  const file = await open(temporary, 'wx', mode)
  try {
    // Whatever umask a service has: what is to be read by others is.
    await file.chmod(mode)
    await file.writeFile(content)
    await file.sync()
  } catch (error) {
    await file.close()
    await rm(temporary, { force: true })
    // What a descriptor was refused (ENOSPC) names no path, and nobody could say where.
    if (error instanceof Error) Object.assign(error, { path: (error as NodeJS.ErrnoException).path ?? path })
    throw error
  }
  await file.close()
  return temporary
}

/** Makes a folder that has this mode, whatever umask a service has; what is missing above it is its owner's alone. */
export async function makeFolder(path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true, mode })
  await chmod(path, mode)
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** The file's text, or undefined where there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The SHA-256 of a file of any size, in hexadecimal digits. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** The label by which an image tells what it was built of. Same content, same hash: nothing to build. */
export const contentLabel = 'marshlight.content'

/** Hash of a set of named parts; the order does not matter. */
export function contentHash(parts: Readonly<Record<string, string>>): string {
  const hash = createHash('sha256')
  for (const [name, value] of Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name.length}:${name}${value.length}:${value}`)
  }
  return hash.digest('hex').slice(0, 16)
}

/** Hash of a folder's files: names, contents and whether they can be run. Compiled Python and README do not count. */
export async function folderHash(folder: string): Promise<string> {
  const parts: Record<string, string> = {}
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile() || !countsAsContent(path)) continue
    const runs = ((await stat(path)).mode & 0o111) !== 0
    parts[relative(folder, path)] = `${runs} ${createHash('sha256')
      .update(await readFile(path))
      .digest('hex')}`
  }
  return contentHash(parts)
}

export const countsAsContent = (path: string) =>
  !/(__pycache__|\.pyc$|README\.md$|\.pytest_cache|\.egg-info)/.test(path)

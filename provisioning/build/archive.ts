import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { command } from './command.ts'

/** Folder with `decoys.tar` and, beside it, `decoys.list`: a line `tag id` for each image in it. Mounted into appliances. */
export const imageArchives = join(import.meta.dirname, '../../.cache/images')

/** Saves images to one file, shared layers once. Does nothing while the file holds those very images. */
export async function saveDecoyImages(tags: readonly string[], folder: string = imageArchives): Promise<string> {
  await mkdir(folder, { recursive: true })
  const archive = join(folder, 'decoys.tar')
  const list = join(folder, 'decoys.list')
  const ids = (await command('docker', ['image', 'inspect', '-f', '{{.Id}}', ...tags])).trim().split('\n')
  const content = `${tags.map((tag, at) => `${tag} ${ids[at]}`).join('\n')}\n`
  if (existsSync(archive) && existsSync(list) && (await readFile(list, 'utf8')) === content) return folder
  await command('docker', ['image', 'save', '-o', `${archive}.unfinished`, ...tags])
  await rename(`${archive}.unfinished`, archive)
  await writeFile(list, content)
  return folder
}

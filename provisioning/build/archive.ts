import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { clearLeft, makeWork } from '../../shared/work-folder.ts'
import { ownArchitecture } from '../deb/architectures.ts'
import { tagOf } from './catalogue.ts'
import { command } from './command.ts'

const cache = join(import.meta.dirname, '../../.cache')

/** Folder with `decoys.tar` and, beside it, `decoys.list`: a line `tag id` for each image in it. Mounted into appliances. */
export const imageArchives = (architecture: string = ownArchitecture()) =>
  join(cache, architecture === ownArchitecture() ? 'images' : `images-${architecture}`)

/**
 * Saves images to one file, shared layers once, under the names that decoys ask for whatever they are called here. Does
 * nothing while the file holds those very images.
 */
export async function saveDecoyImages(
  images: readonly { name: string; tag: string }[],
  folder: string,
): Promise<string> {
  await mkdir(folder, { recursive: true })
  await clearLeft(folder, 'work')
  const archive = join(folder, 'decoys.tar')
  const list = join(folder, 'decoys.list')
  const tags = images.map(({ tag }) => tag)
  const ids = (await command('docker', ['image', 'inspect', '-f', '{{.Id}}', ...tags])).trim().split('\n')
  const content = `${images.map(({ name }, at) => `${tagOf(name)} ${ids[at]}`).join('\n')}\n`
  if (existsSync(archive) && existsSync(list) && (await readFile(list, 'utf8')) === content) return folder
  await command('docker', ['image', 'save', '-o', `${archive}.unfinished`, ...tags])
  await renamed(
    `${archive}.unfinished`,
    images.filter(({ name, tag }) => tag !== tagOf(name)),
  )
  await rename(`${archive}.unfinished`, archive)
  await writeFile(list, content)
  return folder
}

/** What names images in an archive: of `docker save`, of it before version 25, and of OCI. Images' ids are of none of it. */
const indices = ['manifest.json', 'repositories', 'index.json']

/** Gives images the usual tags in `archive`, which the engine that it is of keeps for its own. */
async function renamed(archive: string, images: readonly { name: string; tag: string }[]): Promise<void> {
  if (images.length === 0) return
  const work = await makeWork(dirname(archive), 'work')
  try {
    await command('tar', ['-xf', archive, '-C', work])
    const there = await readdir(work)
    for (const index of indices.filter((name) => there.includes(name))) {
      let text = await readFile(join(work, index), 'utf8')
      for (const { name, tag } of images) text = withName(text, tag, tagOf(name))
      await writeFile(join(work, index), text)
    }
    await command('tar', ['-cf', archive, '-C', work, '--owner=0', '--group=0', '--sort=name', ...there.sort()])
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** `repositories` has name and tag apart; OCI's index has the registry before the name, and the tag once more. */
export function withName(text: string, from: string, to: string): string {
  const [[name, tag], wanted] = [from.split(':'), to.split(':')[1]]
  return text
    .replaceAll(`"${from}"`, `"${to}"`)
    .replaceAll(`/${from}"`, `/${to}"`)
    .replaceAll(`"${name}":{"${tag}":`, `"${name}":{"${wanted}":`)
    .replaceAll(`"org.opencontainers.image.ref.name":"${tag}"`, `"org.opencontainers.image.ref.name":"${wanted}"`)
}

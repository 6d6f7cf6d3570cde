import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { z } from 'zod'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { ReleasePart } from '../../shared/schemas/update.ts'
import type { Engine } from '../engine/port.ts'
import type { Images } from './held.ts'

const run = promisify(execFile)
/** What `docker save` writes first or last: the tags of each image in the archive. */
const archived = z.array(z.object({ RepoTags: z.array(z.string().max(256)).nullish() })).max(64)
const roles = ['pod', 'cowrie', 'services', 'web'] as const
const listBytes = 4_194_304

export type LoadImages = {
  engine: Pick<Engine, 'loadImage' | 'imageId' | 'tagImage'>
  part: ReleasePart
  file: string
  /** Tags that decoys are made of now; they keep meaning what they mean. */
  inUse: Images
  /** Where it is kept what those meant, until they mean it again. */
  keep(ids: Readonly<Record<string, string>>): Promise<void>
  /** What an earlier attempt, which broke off, had kept. */
  kept: Readonly<Record<string, string>>
}

/**
 * Loads an archive of images and gives each a tag of its version, by which decoys are then made; an archive of any build
 * may bear the tags that are in use, so these are put back afterwards.
 *
 *   ids of the tags in use kept -> loaded -> tagged by version -> tags in use put back
 *
 * Throws UPDATE_UNUSABLE.
 */
export async function loadImages(o: LoadImages): Promise<Images> {
  const { engine, part, file } = o
  const unusable = (why: string) => new MarshlightError('UPDATE_UNUSABLE', { what: `decoys ${part.version}`, why })
  const found = await tagsIn(file).catch((error) => {
    throw unusable(`it is no archive of images: ${wordsOf(error).slice(0, 200)}`)
  })
  const byRole = roles.flatMap((role) => {
    const tag = found.find(
      (one) =>
        one
          .replace(/:[^:/]*$/, '')
          .split('/')
          .pop() === role,
    )
    return tag ? [{ role, tag }] : []
  })
  if (byRole.length === 0) throw unusable(`it holds none of ${roles.join(', ')}`)
  const before: Record<string, string> = { ...o.kept }
  for (const tag of Object.values(o.inUse)) {
    const imageId = before[tag] ?? (await engine.imageId(tag))
    if (imageId) before[tag] = imageId
  }
  await o.keep(before)
  await engine.loadImage(file)
  const images: Images = {}
  for (const { role, tag } of byRole) {
    const own = `marshlight/${role}:${part.version.replace(/[^\w.-]/g, '_')}`
    const loaded = await engine.imageId(tag)
    if (!loaded) throw unusable(`the engine did not take ${tag}`)
    await engine.tagImage(loaded, own)
    images[role] = own
  }
  for (const [tag, imageId] of Object.entries(before))
    if (!Object.values(images).includes(tag) && (await engine.imageId(tag)) !== imageId)
      await engine.tagImage(imageId, tag)
  return images
}

async function tagsIn(file: string): Promise<string[]> {
  const { stdout } = await run('tar', ['-xOf', file, 'manifest.json'], { maxBuffer: listBytes })
  return archived.parse(JSON.parse(stdout)).flatMap(({ RepoTags }) => RepoTags ?? [])
}

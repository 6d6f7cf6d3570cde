#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { imageArchives } from '../../provisioning/build/archive.ts'
import { buildImages } from '../../provisioning/build/images.ts'
import { createProgress } from '../../provisioning/build/progress.ts'
import { ownArchitecture } from '../../provisioning/deb/architectures.ts'
import { buildImage } from '../../provisioning/image/build.ts'
import { makeKeyFiles } from '../../provisioning/image/signing-files.ts'
import { wordsOf } from '../../shared/errors.ts'
import { type CleanUp, cleanedUp } from '../bench/clean-up.ts'
import { mustBoot } from './machine.ts'
import { makePlace } from './place.ts'
import { stories } from './stories.ts'

/** `npm run images:test [-- [--image FILE] [--console] STORY...]`: builds the image, boots it in QEMU beside a controller. */
const projectRoot = join(import.meta.dirname, '../..')
const { values, positionals } = parseArgs({
  options: {
    image: { type: 'string' },
    key: { type: 'string' },
    console: { type: 'boolean' },
    label: { type: 'string', default: 'appl' },
    network: { type: 'string', default: '198.18.245' },
  },
  allowPositionals: true,
})
const tell = (line: string) => process.stdout.write(`${line}\n`)
const onLine = values.console ? (line: string) => process.stderr.write(`| ${line}\n`) : undefined

async function main(): Promise<number> {
  const unknown = positionals.filter((name) => !Object.hasOwn(stories, name))
  if (unknown.length > 0) {
    process.stderr.write(
      `images:test: there is no story ${unknown.join(', ')}; there are ${Object.keys(stories).join(', ')}\n`,
    )
    return 2
  }
  // One image serves a run: that of the stories named, or of x86.
  const named = Object.entries(stories).filter(([name]) => positionals.includes(name))
  const architecture = named[0]?.[1].architecture ?? 'amd64'
  const chosen = (named.length > 0 ? named : Object.entries(stories)).filter(
    ([, story]) => story.architecture === architecture,
  )
  if (chosen.length < named.length) {
    process.stderr.write(`images:test: ${positionals.join(', ')} are stories of two images: name those of one\n`)
    return 2
  }
  mustBoot(architecture)
  const progress = createProgress()
  // Those of this machine's kind are made by the set-up.
  if (architecture !== ownArchitecture() && values.image === undefined) await buildImages({ architecture, progress })
  const images = imageArchives(architecture)
  // Not in /tmp, which may be memory: a card has gigabytes.
  const cache = join(projectRoot, '.cache/appliance')
  await mkdir(cache, { recursive: true })
  const key = values.key ?? join(cache, 'test-release.key')
  if (values.key === undefined && !existsSync(key)) await makeKeyFiles(key)
  const image =
    values.image ??
    (
      await buildImage({
        architecture,
        projectRoot,
        ...(existsSync(images) && { images }),
        out: join(projectRoot, 'dist'),
        releaseKey: `${key}.pub`,
        progress,
      })
    ).file
  tell(image)
  let underWay: CleanUp | undefined
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void underWay?.run().finally(() => process.exit(1)))
  let failed = 0
  for (const [name, story] of chosen) {
    tell(`\n${name}: ${story.what}`)
    const began = performance.now()
    try {
      await cleanedUp(async (cleanUp) => {
        underWay = cleanUp
        const folder = await mkdtemp(join(cache, 'test-'))
        cleanUp.add(() => rm(folder, { recursive: true, force: true }))
        const { label, network } = values
        const { decoys = 0, withoutDhcp = false } = story
        const place = await makePlace({ after: cleanUp.add }, { folder, decoys, label, network, withoutDhcp })
        await story.run({ place, folder, image, key, tell, ...(onLine && { onLine }) })
      })
      tell(`ok      ${name}, ${Math.round((performance.now() - began) / 1000)} s`)
    } catch (error) {
      failed += 1
      tell(`FAILED  ${name}: ${wordsOf(error)}${error instanceof Error && 'next' in error ? `\n${error.next}` : ''}`)
    }
  }
  return failed > 0 ? 1 : 0
}

process.exitCode = await main()

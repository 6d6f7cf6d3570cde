#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { cp, link, mkdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { wordsOf } from '../../shared/errors.ts'
import { saveDecoyImages } from './archive.ts'
import { type Bundle, bundles, nodeBinary } from './bundle.ts'
import { catalogue, type Extra, type ImagePlan, tagOf } from './catalogue.ts'
import { command } from './command.ts'
import { contentLabel, countsAsContent } from './content.ts'
import { type BuildStep, planImages } from './plan.ts'
import { createProgress, type Progress } from './progress.ts'
import { importRootfs } from './rootfs.ts'
import { makeWheels } from './wheels.ts'

export type BuiltImage = { name: string; tag: string; hash: string; built: boolean }

export type BuildOptions = {
  /** Names of the catalogue, with what they stand on; all when left out. */
  only?: readonly string[]
  progress?: Progress
}

const projectRoot = join(import.meta.dirname, '../..')
const cache = join(projectRoot, '.cache')

/** Builds what is missing or stale, and saves the decoys' images to a file for the appliances' engines. */
export async function buildImages({ only, progress = createProgress() }: BuildOptions = {}): Promise<BuiltImage[]> {
  const wanted = withFoundations(only)
  const extras = await makeExtras(wanted)
  const steps = await planImages(wanted, {
    images: join(projectRoot, 'images'),
    extras: Object.fromEntries([...extras].map(([name, extra]) => [name, extra.hash])),
    architecture: process.arch,
  })
  const present = await presentHashes()
  const done: BuiltImage[] = []
  for (const step of steps) {
    const tag = tagOf(step.name)
    const stale = present.get(tag) !== step.hash
    if (stale) await buildOne(step, { present, extras, progress })
    done.push({ name: step.name, tag, hash: step.hash, built: stale })
  }
  const decoys = wanted.filter((plan) => plan.decoy).map((plan) => tagOf(plan.name))
  if (decoys.length > 0 && decoys.length === catalogue.filter((plan) => plan.decoy).length) {
    await progress('saving the decoys’ images for the appliances', () => saveDecoyImages(decoys))
  }
  return done
}

type ExtraFile = Bundle | { files: Record<string, string>; hash: string }

async function buildOne(
  step: BuildStep,
  { present, extras, progress }: { present: Map<string, string>; extras: Map<Extra, ExtraFile>; progress: Progress },
): Promise<void> {
  const { root, wheels, build } = step
  if (root && present.get(root.tag) !== root.hash) {
    await progress(`image ${step.name}: Debian packages`, () =>
      replacing(root.tag, () => importRootfs({ ...root, cache: join(cache, 'debs') })),
    )
  }
  if (!build) return
  const wheelhouse = wheels && join(cache, 'wheels', wheels.hash)
  if (wheels && wheelhouse) {
    await progress(`image ${step.name}: Python packages`, () =>
      makeWheels({ requirements: wheels.requirements, folder: wheelhouse, image: tagOf('python') }),
    )
  }
  const context = join(cache, 'context', step.name)
  await rm(context, { recursive: true, force: true })
  await cp(build.folder, context, { recursive: true, filter: countsAsContent })
  for (const part of build.parts)
    await cp(part, join(context, basename(part)), { recursive: true, filter: countsAsContent })
  if (wheelhouse) await cp(wheelhouse, join(context, 'wheels'), { recursive: true })
  for (const extra of build.extras) {
    for (const [name, from] of Object.entries(extras.get(extra)?.files ?? {})) await place(from, join(context, name))
  }
  await progress(`image ${step.name}`, () =>
    replacing(build.tag, () =>
      command(
        'docker',
        ['build', '--network=none', '--label', `${contentLabel}=${step.hash}`, '--tag', build.tag, context],
        // The classic builder takes local images alone, needs no plug-in, and every engine has it.
        { env: { ...process.env, DOCKER_BUILDKIT: '0' } },
      ),
    ),
  )
  await rm(context, { recursive: true, force: true })
}

/** Runs `make`, then removes the image that `tag` named before, unless something still uses it. */
async function replacing(tag: string, make: () => Promise<unknown>): Promise<void> {
  const idOf = () => command('docker', ['image', 'inspect', '-f', '{{.Id}}', tag]).catch(() => '')
  const before = await idOf()
  await make()
  if (before !== '' && before !== (await idOf()))
    await command('docker', ['image', 'rm', before.trim()]).catch(() => {})
}

async function place(from: string, to: string): Promise<void> {
  await mkdir(join(to, '..'), { recursive: true })
  await link(from, to).catch(() => cp(from, to))
}

/** What the images' labels say they were built of, by tag; one call for all. */
async function presentHashes(): Promise<Map<string, string>> {
  const names = await command('docker', ['image', 'ls', '--filter', `label=${contentLabel}`, '--format', '{{.ID}}'], {
    next: 'Start the Docker Engine, or run `npm run setup -- --lab`.',
  })
  const ids = [...new Set(names.split('\n').filter(Boolean))]
  if (ids.length === 0) return new Map()
  const format = `{{range .RepoTags}}{{.}} {{end}}{{index .Config.Labels "${contentLabel}"}}`
  const lines = (await command('docker', ['image', 'inspect', '-f', format, ...ids])).trim().split('\n')
  return new Map(
    lines.flatMap((line) => {
      const words = line.split(' ')
      const hash = words.pop() ?? ''
      return words.map((tag): [string, string] => [tag, hash])
    }),
  )
}

async function makeExtras(plans: readonly ImagePlan[]): Promise<Map<Extra, ExtraFile>> {
  const wanted = new Set(plans.flatMap((plan) => plan.extras ?? []))
  const made = new Map<Extra, ExtraFile>()
  for (const extra of wanted) made.set(extra, extra === 'node' ? await nodeBinary() : await bundles[extra]())
  return made
}

function withFoundations(only?: readonly string[]): ImagePlan[] {
  if (!only || only.length === 0) return [...catalogue]
  const names = new Set(only)
  for (const plan of [...catalogue].reverse()) if (names.has(plan.name)) for (const name of plan.on) names.add(name)
  return catalogue.filter((plan) => names.has(plan.name))
}

if (import.meta.main) {
  const args = process.argv.slice(2)
  const quiet = args.includes('--quiet')
  const only = args.filter((arg) => !arg.startsWith('-'))
  const unknown = only.filter((name) => !catalogue.some((plan) => plan.name === name))
  try {
    if (unknown.length > 0)
      throw new Error(
        `there is no image ${unknown.join(', ')}; there are ${catalogue.map((plan) => plan.name).join(', ')}`,
      )
    if (!existsSync(join(projectRoot, 'node_modules')))
      throw new Error('node_modules is missing: run `npm run setup` first')
    const done = await buildImages({ only, progress: createProgress({ quiet }) })
    if (!quiet)
      for (const image of done) console.log(`${image.tag} ${image.hash} ${image.built ? 'built' : 'up to date'}`)
  } catch (error) {
    const next = error instanceof Error && 'next' in error ? `\n${error.next}` : ''
    console.error(`marshlight images: ${wordsOf(error)}${next}`)
    process.exitCode = 1
  }
}

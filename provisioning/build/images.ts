#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { cp, link, mkdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { wordsOf } from '../../shared/errors.ts'
import { architectureOf, ownArchitecture } from '../deb/architectures.ts'
import { imageArchives, saveDecoyImages } from './archive.ts'
import { type Bundle, bundles, nodeBinary } from './bundle.ts'
import { catalogue, type Extra, type ImagePlan } from './catalogue.ts'
import { command } from './command.ts'
import { contentLabel, countsAsContent } from './content.ts'
import { mustRunProgramsOf } from './foreign.ts'
import { type BuildStep, planImages } from './plan.ts'
import { createProgress, type Progress } from './progress.ts'
import { importRootfs } from './rootfs.ts'
import { makeWheels } from './wheels.ts'

export type BuiltImage = { name: string; tag: string; hash: string; built: boolean }

export type BuildOptions = {
  /** Names of the catalogue, with what they stand on; all when left out. */
  only?: readonly string[]
  /** Of the machines that they are for; another than this one's has decoys' images alone. */
  architecture?: string
  progress?: Progress
}

const projectRoot = join(import.meta.dirname, '../..')
const cache = join(projectRoot, '.cache')
const decoyNames = catalogue.filter((plan) => plan.decoy).map((plan) => plan.name)

/** Builds what is missing or stale, and saves the decoys' images to a file for the appliances' engines. */
export async function buildImages(o: BuildOptions = {}): Promise<BuiltImage[]> {
  const own = ownArchitecture()
  const { only = [], architecture = own, progress = createProgress() } = o
  const wanted = withFoundations(only.length === 0 && architecture !== own ? decoyNames : only)
  for (const played of new Set(wanted.map((plan) => plan.always ?? architecture)))
    await mustRunProgramsOf(played, 'npm run images')
  const extras = await makeExtras(wanted)
  const steps = await planImages(wanted, {
    images: join(projectRoot, 'images'),
    extras: Object.fromEntries([...extras].map(([name, extra]) => [name, extra.hash])),
    architecture,
    own,
  })
  const present = await presentHashes()
  const done: BuiltImage[] = []
  for (const step of steps) {
    const { name, tag, hash } = step
    const stale = present.get(tag) !== hash
    if (stale) await buildOne(step, { present, extras, progress })
    done.push({ name, tag, hash, built: stale })
  }
  const decoys = done.filter(({ name }) => decoyNames.includes(name))
  if (decoys.length === decoyNames.length) {
    const folder = imageArchives(architecture)
    await progress('saving the decoys’ images for the appliances', () => saveDecoyImages(decoys, folder))
  }
  return done
}

type ExtraFile = Bundle | { files: Record<string, string>; hash: string }

async function buildOne(
  step: BuildStep,
  { present, extras, progress }: { present: Map<string, string>; extras: Map<Extra, ExtraFile>; progress: Progress },
): Promise<void> {
  const { tag, root, wheels, build } = step
  if (root && present.get(root.tag) !== root.hash) {
    await progress(`image ${step.name}: Debian packages`, () =>
      replacing(root.tag, () => importRootfs({ ...root, cache: join(cache, 'debs') })),
    )
  }
  if (!build) return
  const wheelhouse = wheels && join(cache, 'wheels', wheels.hash)
  if (wheels && wheelhouse) {
    await progress(`image ${step.name}: Python packages`, () =>
      makeWheels({ requirements: wheels.requirements, folder: wheelhouse, image: wheels.image }),
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
  const { version } = build
  const args = ['--build-arg', `TAG=${version}`, '--label', `${contentLabel}=${step.hash}`, '--tag', tag]
  await progress(`image ${step.name}`, () =>
    replacing(tag, () =>
      command(
        'docker',
        ['build', '--network=none', ...args, context],
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

function withFoundations(only: readonly string[]): ImagePlan[] {
  if (only.length === 0) return [...catalogue]
  const names = new Set(only)
  for (const plan of [...catalogue].reverse()) if (names.has(plan.name)) for (const name of plan.on) names.add(name)
  return catalogue.filter((plan) => names.has(plan.name))
}

if (import.meta.main) {
  try {
    const { values, positionals: only } = parseArgs({
      options: { quiet: { type: 'boolean' }, arch: { type: 'string', default: ownArchitecture() } },
      allowPositionals: true,
    })
    const { quiet = false } = values
    const architecture = architectureOf(values.arch, 'npm run images')
    const offered = architecture === ownArchitecture() ? catalogue : withFoundations(decoyNames)
    const unknown = only.filter((name) => !offered.some((plan) => plan.name === name))
    if (unknown.length > 0)
      throw new Error(
        `there is no image ${unknown.join(', ')} for ${architecture}; there are ${offered.map((plan) => plan.name).join(', ')}`,
      )
    if (!existsSync(join(projectRoot, 'node_modules')))
      throw new Error('node_modules is missing: run `npm run setup` first')
    const done = await buildImages({ only, architecture, progress: createProgress({ quiet }) })
    if (!quiet)
      for (const image of done) console.log(`${image.tag} ${image.hash} ${image.built ? 'built' : 'up to date'}`)
  } catch (error) {
    const next = error instanceof Error && 'next' in error ? `\n${error.next}` : ''
    console.error(`marshlight images: ${wordsOf(error)}${next}`)
    process.exitCode = 1
  }
}

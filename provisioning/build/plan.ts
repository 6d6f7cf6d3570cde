import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { MarshlightError } from '../../shared/errors.ts'
import { type Extra, type ImagePlan, tagFor, tagOf } from './catalogue.ts'
import { contentHash, folderHash } from './content.ts'
import { release } from './debian.ts'

/** What there is to do for one image, with the hash of everything it is made of. */
export type BuildStep = {
  name: string
  /** What it is called in this machine's engine. */
  tag: string
  hash: string
  root?: { tag: string; hash: string; packages: string[]; architecture: string }
  /** Fetched by the Python of `image`. */
  wheels?: { requirements: string; hash: string; image: string }
  /** The Dockerfile's image; without it the root is the image. `version`: the tag of what it stands on. */
  build?: { folder: string; version: string; extras: readonly Extra[]; parts: readonly string[] }
}

export type PlanInputs = {
  /** Folder of the images' folders. */
  images: string
  /** Hash of each extra that the catalogue names. */
  extras: Readonly<Partial<Record<Extra, string>>>
  /** By Debian's names: of the machines that the images are for, and of this one. */
  architecture: string
  own: string
}

/** Steps in the order of the catalogue: each comes after what it stands on. */
export async function planImages(catalogue: readonly ImagePlan[], inputs: PlanInputs): Promise<BuildStep[]> {
  const steps = new Map<string, BuildStep>()
  for (const plan of catalogue) {
    const below = plan.on.map((name) => {
      const step = steps.get(name)
      if (!step) throw new MarshlightError('NOT_FOUND', { kind: 'image', value: name, command: 'ls images' })
      return step
    })
    steps.set(plan.name, await planOne(plan, below, inputs))
  }
  return [...steps.values()]
}

async function planOne(plan: ImagePlan, below: readonly BuildStep[], inputs: PlanInputs): Promise<BuildStep> {
  const folder = join(inputs.images, plan.name)
  const parts = (plan.parts ?? []).map((name) => join(inputs.images, name))
  for (const needed of [folder, ...parts])
    if (!existsSync(needed)) throw new MarshlightError('CONFIG_MISSING', { file: needed, command: 'git status' })
  const hasDockerfile = existsSync(join(folder, 'Dockerfile'))
  const packages = await linesOf(join(folder, 'packages.txt'))
  const architecture = plan.always ?? inputs.architecture
  // What is always of one kind is the same thing whomever it is built for.
  const version = plan.always ? 'dev' : tagFor(architecture, inputs.own)
  const tag = tagOf(plan.name, version)
  const rootHash = contentHash({ release, architecture, packages: packages.join('\n') })
  const root = packages.length > 0 && {
    tag: hasDockerfile ? tagOf(`${plan.name}-root`, version) : tag,
    hash: rootHash,
    packages,
    architecture,
  }
  if (!hasDockerfile) {
    if (!root) throw new MarshlightError('CONFIG_MISSING', { file: join(folder, 'Dockerfile'), command: 'git status' })
    return { name: plan.name, tag, hash: rootHash, root }
  }
  const extras = plan.extras ?? []
  const hash = contentHash({
    folder: await folderHash(folder),
    root: root ? rootHash : '',
    ...Object.fromEntries(below.map((step) => [`on ${step.name}`, step.hash])),
    ...Object.fromEntries(
      await Promise.all(parts.map(async (part) => [`part ${basename(part)}`, await folderHash(part)])),
    ),
    ...Object.fromEntries(extras.map((extra) => [`extra ${extra}`, inputs.extras[extra] ?? ''])),
  })
  const requirements = join(folder, 'requirements.txt')
  const python = below.find((step) => step.name === 'python')
  const wheels = existsSync(requirements) && {
    requirements,
    hash: contentHash({ requirements: await readFile(requirements, 'utf8'), python: python?.hash ?? '' }),
    image: python?.tag ?? tagOf('python', version),
  }
  return {
    ...{ name: plan.name, tag, hash },
    ...(root && { root }),
    ...(wheels && { wheels }),
    build: { folder, version, extras, parts },
  }
}

async function linesOf(file: string): Promise<string[]> {
  if (!existsSync(file)) return []
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.replace(/#.*/, '').trim())
  return lines.filter((line) => line !== '').sort()
}

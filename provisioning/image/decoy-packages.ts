import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { command } from '../build/command.ts'
import { ownArchitecture } from '../deb/architectures.ts'
import { type DecoyImage, installedPackages, type PythonPackage } from './sbom.ts'

/** dpkg's status, one file a package where only some of its files were taken (images/web/gather.sh), and Python's own. */
const lists = /^(var\/lib\/dpkg\/(status|status\.d\/[^/]+)|.*\.dist-info\/METADATA)$/
const debianLists = /^var\/lib\/dpkg\//
/** What belongs to packages of Debian; ours lies in /opt and /usr/local. */
const debians = /^usr\/(?!local\/)/
/** A name of a layer that takes away what layers below have (OCI Image Layer Specification, whiteouts). */
const whiteout = /^(.*\/)?\.wh\.([^/]+)$/

type Layer = { texts: Map<string, string>; gone: string[]; debian: boolean }

/**
 * The packages in the images of `archive` (`docker save`), read from its layers: no image is started, so it does not
 * matter which processor they are for. `work` is a folder for what is unpacked meanwhile.
 */
export async function decoyPackages(archive: string, work: string): Promise<DecoyImage[]> {
  const unpacked = join(work, 'decoys')
  await mkdir(unpacked)
  try {
    await command('tar', ['-xf', archive, '-C', unpacked])
    const manifest = JSON.parse(await readFile(join(unpacked, 'manifest.json'), 'utf8')) as Manifest
    const layers = new Map<string, Layer>()
    for (const name of new Set(manifest.flatMap(({ Layers }) => Layers)))
      layers.set(name, await readLayer(join(unpacked, name), join(unpacked, `lists-${layers.size}`)))
    return manifest.map(({ RepoTags: [tag = ''], Layers }) =>
      imageOf(
        tag.replace(/:.*/, ''),
        Layers.flatMap((name) => layers.get(name) ?? []),
      ),
    )
  } finally {
    await rm(unpacked, { recursive: true, force: true })
  }
}
type Manifest = { RepoTags: string[]; Layers: string[] }[]

async function readLayer(file: string, to: string): Promise<Layer> {
  const raw = (await command('tar', ['-tf', file, '--quoting-style=literal'])).split('\n').filter(Boolean)
  const names = raw.map((name) => [name, name.replace(/^\.\//, '')] as const)
  const wanted = names.filter(([, name]) => lists.test(name))
  const texts = new Map<string, string>()
  if (wanted.length > 0) {
    await mkdir(to)
    await writeFile(`${to}.names`, wanted.map(([name]) => `${name}\n`).join(''))
    await command('tar', ['-xf', file, '-C', to, '--verbatim-files-from', '--no-wildcards', '-T', `${to}.names`])
    for (const [, name] of wanted) texts.set(name, await readFile(join(to, name), 'utf8'))
  }
  return {
    texts,
    gone: names.flatMap(([, name]) => {
      const [, folder = '', what] = whiteout.exec(name) ?? []
      return what === undefined ? [] : [what === '.wh..opq' ? folder : `${folder}${what}`]
    }),
    debian: names.some(([, name]) => debians.test(name) && !name.endsWith('/')),
  }
}

/** An image by its layers, the lowest first. */
function imageOf(name: string, layers: readonly Layer[]): DecoyImage {
  const texts = new Map<string, string>()
  for (const layer of layers) {
    for (const path of texts.keys())
      if (layer.gone.some((gone) => path === gone || path.startsWith(gone.endsWith('/') ? gone : `${gone}/`)))
        texts.delete(path)
    for (const [path, text] of layer.texts) texts.set(path, text)
  }
  const read = [...texts]
  const ofDebian = read.filter(([path]) => debianLists.test(path))
  const apart = ofDebian.some(([path]) => path.includes('/status.d/'))
  return {
    name,
    debian: installedPackages(ofDebian.map(([, text]) => text).join('\n\n')),
    python: read.flatMap(([path, text]) => (debianLists.test(path) ? [] : pythonPackage(text))).sort(byName),
    unlisted:
      layers.some(({ debian, texts }) => debian && ![...texts.keys()].some((one) => debianLists.test(one))) && !apart,
  }
}

/** Core metadata of Python's packages (packaging.python.org/specifications/core-metadata): headers, then a text. */
function pythonPackage(text: string): PythonPackage[] {
  const [headers = ''] = text.split(/\r?\n\r?\n/)
  const field = (name: string) => new RegExp(`^${name}: *(.+?)\\r?$`, 'm').exec(headers)?.[1]
  const [name, version] = [field('Name'), field('Version')]
  return name && version ? [{ name, version, license: field('License-Expression') ?? 'unknown' }] : []
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)

/** For a person: which images do not name all that they hold, and what to do. */
export function unlistedWords(
  decoys: readonly Pick<DecoyImage, 'name' | 'unlisted'>[],
  architecture: string,
): string[] {
  const names = decoys.filter(({ unlisted }) => unlisted).map(({ name }) => name)
  if (names.length === 0) return []
  const arch = architecture === ownArchitecture() ? '' : ` -- --arch ${architecture}`
  return [
    `  ${names.join(', ')} does not name all packages that it holds: its SBOM lacks them`,
    `  make it anew with \`npm run images${arch}\``,
  ]
}

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MarshlightError } from '../../shared/errors.ts'
import { command } from '../build/command.ts'
import { type Architecture, architectures } from './architectures.ts'
import { lockedPackage, type NpmLock } from './npm-lock.ts'

export type NodePackage = { binary: string; license: string; version: string }

/**
 * Node of the version that package-lock.json names, for any architecture: the installed package where it fits this
 * machine, else fetched by npm, by npm's own settings, into `cache`, and held against the lock's hash.
 */
export async function nodePackage(
  architecture: Architecture,
  at: { projectRoot: string; cache: string; lock: NpmLock },
): Promise<NodePackage> {
  const { name, version, integrity, path } = lockedPackage(at.lock, architectures[architecture].node)
  const installed = join(at.projectRoot, path)
  if (await isVersion(installed, version)) return packageIn(installed, version)

  const folder = join(at.cache, `${name}-${version}`)
  if (!existsSync(folder)) {
    const unfinished = `${folder}.unfinished`
    await rm(unfinished, { recursive: true, force: true })
    await mkdir(unfinished, { recursive: true })
    await command('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', unfinished], {
      next: 'Check that npm reaches its registry (npm ping), then run again.',
    })
    const archive = (await readdir(unfinished)).find((file) => file.endsWith('.tgz')) ?? `${name}.tgz`
    await checkIntegrity(join(unfinished, archive), integrity)
    await command('tar', ['-xzf', join(unfinished, archive), '-C', unfinished, '--strip-components=1'])
    await rm(join(unfinished, archive))
    await rename(unfinished, folder)
  }
  return packageIn(folder, version)
}

/** Throws IMAGE_ALTERED where the file is not what `integrity` (a hash as npm writes it) says. */
export async function checkIntegrity(file: string, integrity: string): Promise<void> {
  const [algorithm = '', expected = ''] = integrity.split('-', 2)
  const seen = createHash(algorithm)
    .update(await readFile(file))
    .digest('base64')
  if (seen !== expected)
    throw new MarshlightError('IMAGE_ALTERED', { file, why: `its ${algorithm} is ${seen}, not ${expected}` })
}

async function isVersion(folder: string, version: string): Promise<boolean> {
  try {
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version?: string }
    return manifest.version === version
  } catch {
    return false
  }
}

const packageIn = (folder: string, version: string): NodePackage => ({
  binary: join(folder, 'bin/node'),
  license: join(folder, 'LICENSE'),
  version,
})

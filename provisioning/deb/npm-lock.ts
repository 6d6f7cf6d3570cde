import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { MarshlightError } from '../../shared/errors.ts'

const lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      license: z.string().optional(),
      integrity: z.string().optional(),
      dev: z.boolean().optional(),
      devOptional: z.boolean().optional(),
      optional: z.boolean().optional(),
    }),
  ),
})
export type NpmLock = z.infer<typeof lock>

/** `path`: where it stands below the project's root. */
export type NpmPackage = { name: string; version: string; license: string; integrity: string; path: string }

export async function readLock(projectRoot: string): Promise<NpmLock> {
  const file = join(projectRoot, 'package-lock.json')
  const parsed = lock.safeParse(JSON.parse(await readFile(file, 'utf8')))
  if (parsed.success) return parsed.data
  const why = parsed.error.issues[0]?.message ?? 'invalid'
  throw new MarshlightError('CONFIG_INVALID', { file, path: 'packages', value: 'unreadable', why })
}

/** Packages that may be part of what ships: neither tools of development nor what only some machines have. By name, then version. */
export function shippedPackages({ packages }: NpmLock): NpmPackage[] {
  const shipped = Object.entries(packages).flatMap(([path, one]) => {
    if (path === '' || one.dev || one.devOptional || one.optional) return []
    return [packageAt(path, one)]
  })
  return shipped.sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version) || compare(a.path, b.path))
}

/** The one package `name` of the lock; throws CONFIG_INVALID where the lock has none. */
export function lockedPackage({ packages }: NpmLock, name: string): NpmPackage {
  const path = `node_modules/${name}`
  const one = packages[path]
  if (one?.version && one.integrity) return packageAt(path, one)
  const why = 'it names neither version nor hash'
  throw new MarshlightError('CONFIG_INVALID', { file: 'package-lock.json', path, value: 'missing', why })
}

const packageAt = (path: string, one: NpmLock['packages'][string]): NpmPackage => ({
  name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
  version: one.version ?? '',
  license: one.license ?? 'unknown',
  integrity: one.integrity ?? '',
  path,
})

/** By code points: the same on every machine. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

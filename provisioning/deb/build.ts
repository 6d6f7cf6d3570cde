import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bundles } from '../build/bundle.ts'
import { contentHash } from '../build/content.ts'
import type { Progress } from '../build/progress.ts'
import type { Architecture } from './architectures.ts'
import { type Entry, maintainerScripts, packageContents } from './contents.ts'
import { controlFile, debianVersion, packageName } from './control.ts'
import { nodePackage } from './node-package.ts'
import { notices } from './notices.ts'
import { readLock, shippedPackages } from './npm-lock.ts'
import { type Compression, pack } from './pack.ts'
import { sourceDate } from './source-date.ts'

export type DebOptions = {
  architecture: Architecture
  projectRoot: string
  /** Folder for the package. */
  out: string
  progress: Progress
  compression?: Compression
}
export type BuiltDeb = { file: string; version: string; bytes: number; sha256: string; built: boolean }

/** The agent as a Debian package. Same inputs give the same bytes; nothing is done where the package is there already. */
export async function buildDeb(o: DebOptions): Promise<BuiltDeb> {
  const { version } = JSON.parse(await readFile(join(o.projectRoot, 'package.json'), 'utf8')) as { version: string }
  const lock = await readLock(o.projectRoot)
  const epoch = await sourceDate(o.projectRoot)
  const node = await o.progress(`Node for ${o.architecture}`, () =>
    nodePackage(o.architecture, { projectRoot: o.projectRoot, cache: join(o.projectRoot, '.cache/npm'), lock }),
  )
  const bundle = await o.progress('bundle of the agent', () => bundles['agent-bundle']())
  const entries = packageContents({
    version,
    epoch,
    bundle: bundle.files,
    node: { binary: node.binary, license: await readFile(node.license) },
    thirdParty: await notices(o.projectRoot, shippedPackages(lock)),
  })
  const compression = o.compression ?? 'xz'
  const control = controlFile({ version, architecture: o.architecture, installedKb: 0 })
  const inputs = contentHash({ ...(await hashes(entries)), control, epoch: String(epoch), compression })
  const file = join(o.out, `${packageName}_${debianVersion(version)}_${o.architecture}.deb`)
  const built = !(await isMadeOf(file, inputs))
  if (built) {
    await mkdir(o.out, { recursive: true })
    await o.progress(`package for ${o.architecture}`, () =>
      pack(file, { entries, version, architecture: o.architecture, epoch, compression }),
    )
    await writeFile(inputsFile(file), `${inputs} ${await sha256(file)}\n`)
  }
  return { file, version: debianVersion(version), bytes: (await stat(file)).size, sha256: await sha256(file), built }
}

async function hashes(entries: readonly Entry[]): Promise<Record<string, string>> {
  const named: Record<string, string> = {}
  for (const entry of [...entries, ...maintainerScripts]) {
    const hash = 'from' in entry ? await sha256(entry.from) : createHash('sha256').update(entry.content).digest('hex')
    named[entry.path] = `${entry.mode} ${hash}`
  }
  return named
}

const inputsFile = (file: string): string => `${file}.inputs`

/** Whether the package is the very one that was made of these inputs. */
async function isMadeOf(file: string, inputs: string): Promise<boolean> {
  if (!existsSync(file) || !existsSync(inputsFile(file))) return false
  return (await readFile(inputsFile(file), 'utf8')).trim() === `${inputs} ${await sha256(file)}`
}

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}

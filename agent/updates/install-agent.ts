import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { readIfThere } from '../../shared/files.ts'
import type { ReleasePart } from '../../shared/schemas/update.ts'
import type { Disk } from './disk.ts'
import { versionsFolder } from './launcher-files.ts'

const run = promisify(execFile)
const withinMs = 300_000
/** Where the package keeps the program. */
const inPackage = 'usr/lib/marshlight-agent'
const ofPart = 'part.sha256'

export type InstallAgent = {
  disk: Disk
  stateDir: string
  part: ReleasePart
  file: string
  /** Versions that may be running, or be started again: they are not touched. */
  inUse: readonly string[]
}

/**
 * One version of the agent in a folder of its own: the content of the package's program folder, out of the Debian
 * package or out of a tar archive of that folder.
 *
 *   unpacked beside -> started once, for its version -> synced -> moved to its name
 *
 * Throws UPDATE_UNUSABLE.
 */
export async function installAgent(o: InstallAgent): Promise<void> {
  const { disk, part, file } = o
  const folder = join(versionsFolder(o.stateDir), part.version)
  const unusable = (why: string) =>
    new MarshlightError('UPDATE_UNUSABLE', { what: `agent ${part.version}`, why: why.slice(0, 300) })
  if ((await readIfThere(join(folder, ofPart)))?.trim() === part.sha256) return
  if (o.inUse.includes(part.version)) throw unusable('another build of the same version is in use here')
  const beside = join(versionsFolder(o.stateDir), `.new-${part.version}`)
  await disk.remove(beside)
  await disk.remove(folder)
  await mkdir(beside, { recursive: true, mode: 0o700 })
  try {
    if (part.file.endsWith('.deb')) await run('dpkg-deb', ['-x', file, beside], { timeout: withinMs })
    else await run('tar', ['-xf', file, '-C', beside], { timeout: withinMs })
  } catch (error) {
    throw unusable(`it cannot be unpacked: ${wordsOf(error)}`)
  }
  const program = [beside, join(beside, inPackage)].find((one) => existsSync(join(one, 'agent.mjs')))
  if (!program) throw unusable('there is no agent.mjs in it')
  await chmod(program, 0o700)
  const says = await versionOf(program)
  if (says !== part.version) throw unusable(`it says of itself: ${says}`)
  await disk.write(join(program, ofPart), `${part.sha256}\n`)
  // All of it has to be on the disk before anything names it.
  await run('sync', ['-f', program], { timeout: withinMs })
  await disk.move(program, folder)
  if (program !== beside) await disk.remove(beside)
}

async function versionOf(program: string): Promise<string> {
  try {
    const { stdout } = await run(join(program, 'node'), [join(program, 'agent.mjs'), '--version'], { timeout: 60_000 })
    return stdout.trim().slice(0, 64)
  } catch (error) {
    return wordsOf(error)
  }
}

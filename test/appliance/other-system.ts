import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { command } from '../../provisioning/build/command.ts'
import { squashRoot } from '../../provisioning/image/disk.ts'
import { changeVersion } from '../integration/update-world.ts'

/** `kernel`: there is no system behind the kernel. `agent`: all starts, but the agent hangs. */
export type Fault = 'kernel' | 'agent'
export type OtherSystem = { version: string; fault?: Fault }

const agentFolder = 'usr/lib/marshlight-agent'

/**
 * Further versions of the built system, each a squashfs named as `image build` names it: the same root, in which the
 * system and its agent call themselves by another version, and are broken where they are to be.
 */
export async function otherSystems(o: {
  system: string
  folder: string
  epoch: number
  systems: readonly OtherSystem[]
}): Promise<string[]> {
  const { system, folder, epoch, systems } = o
  const work = join(folder, 'systems')
  const root = join(work, 'root')
  await mkdir(work)
  await command('unsquashfs', ['-n', '-q', '-d', root, system])
  const made: string[] = []
  for (const { version, fault } of systems) {
    const release = join(root, 'usr/lib/os-release')
    const text = await readFile(release, 'utf8')
    await writeFile(release, text.replace(/^IMAGE_VERSION=.*$/m, `IMAGE_VERSION="${version}"`))
    await changeVersion(join(root, agentFolder), { version, ...(fault === 'agent' && { breaks: 'silently' }) })
    const from = fault === 'kernel' ? await kernelOnly(root, join(work, 'kernel-only')) : root
    const file = join(folder, `marshlight-system_${version}_amd64.squashfs`)
    await rename(await squashRoot({ root: from, work, epoch }), file)
    made.push(file)
  }
  await rm(work, { recursive: true })
  return made
}

/** A root of the same kernel and nothing else: it panics where init should be. */
async function kernelOnly(root: string, folder: string): Promise<string> {
  await mkdir(folder)
  for (const name of ['vmlinuz', 'initrd.img']) await command('cp', ['-L', join(root, name), join(folder, name)])
  return folder
}

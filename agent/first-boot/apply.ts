import { access, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { makeFolder, readIfThere, writeFileAtomic } from '../../shared/files.ts'
import type { KeptSite } from '../kept-site.ts'
import { keysPath, networkFolder, ownPrefix, sshUnit, systemFiles, timePath } from './system-files.ts'

/** What of this system is not as the site wants it. `undefined` as text: a file that has to go. */
export type Changes = { files: ReadonlyMap<string, string | undefined>; hostname?: string }
/** Runs a program of the system; throws where it fails. */
export type Command = (command: string, ...argv: string[]) => Promise<void>

const unitFolder = '/usr/lib/systemd/system'
const hostnamePath = '/proc/sys/kernel/hostname'

/**
 * Makes this system as its site wants it. What was written but not yet told to the program that reads it, because this
 * process was killed in between, is told by the next one: only what this process told counts as done.
 * `root`: where /run, /sys and /proc are.
 */
export function makeApplier({ root, command }: { root: string; command: Command }) {
  const told = new Map<string, string>()

  async function changes(site: KeptSite | undefined): Promise<Changes> {
    const wanted = new Map(systemFiles(site ?? { v: 1 }, await wiredCard(root)))
    if (!(await isThere(join(root, unitFolder, sshUnit)))) wanted.delete(keysPath)
    const files = new Map<string, string | undefined>()
    for (const path of await ownFiles(root)) if (!wanted.has(path)) files.set(path, undefined)
    for (const [path, text] of wanted)
      if (told.get(path) !== text || (await readIfThere(join(root, path))) !== text) files.set(path, text)
    const hostname = site?.hostname
    const current = (await readFile(join(root, hostnamePath), 'utf8').catch(() => '')).trim()
    return { files, ...(hostname !== undefined && hostname !== current && { hostname }) }
  }

  /** May break off anywhere and be begun anew. Throws COMMAND_FAILED. */
  async function apply({ files, hostname }: Changes): Promise<void> {
    const touched = (part: string) => [...files.keys()].some((path) => path.startsWith(part))
    try {
      for (const [path, text] of files) {
        if (text === undefined) await rm(join(root, path), { force: true })
        else await write(path, text)
      }
      if (hostname !== undefined) await writeFile(join(root, hostnamePath), hostname)
      if (touched(networkFolder)) await command('networkctl', 'reload')
      if (touched(timePath)) await command('systemctl', 'try-restart', 'systemd-timesyncd.service')
      if (touched(keysPath))
        await command('systemctl', files.get(keysPath) === undefined ? 'stop' : 'start', '--no-block', sshUnit)
    } catch (error) {
      throw new MarshlightError('COMMAND_FAILED', {
        command: 'applying the site’s network settings',
        why: wordsOf(error),
        next: 'It is tried again. They need systemd-networkd: on another system set the network by its own means.',
      })
    }
    for (const [path, text] of files) {
      if (text === undefined) told.delete(path)
      else told.set(path, text)
    }
  }

  /** networkd does not run as root; keys are root's alone. */
  async function write(path: string, text: string): Promise<void> {
    const isKeys = path === keysPath
    await makeFolder(dirname(join(root, path)), isKeys ? 0o700 : 0o755)
    await writeFileAtomic(join(root, path), text, isKeys ? 0o600 : 0o644)
  }

  return { changes, apply }
}

export const isEmpty = ({ files, hostname }: Changes): boolean => files.size === 0 && hostname === undefined

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

async function ownFiles(root: string): Promise<string[]> {
  const names = await readdir(join(root, networkFolder)).catch(() => [])
  const own = names.filter((name) => name.startsWith(ownPrefix)).map((name) => `${networkFolder}/${name}`)
  for (const path of [timePath, keysPath]) if (await isThere(join(root, path))) own.push(path)
  return own
}

/** The first wired card with something at its other end, else the first; by the kernel's files. */
async function wiredCard(root: string): Promise<string | undefined> {
  const folder = join(root, '/sys/class/net')
  const read = (name: string, file: string) => readFile(join(folder, name, file), 'utf8').catch(() => '')
  const wired: { name: string; signal: boolean }[] = []
  for (const name of (await readdir(folder).catch(() => [])).sort()) {
    const inside = await readdir(join(folder, name)).catch((): string[] => [])
    // ARPHRD_ETHER, a device of its own, and no radio.
    const isCard = (await read(name, 'type')).trim() === '1' && inside.includes('device')
    if (!isCard || inside.includes('wireless') || inside.includes('phy80211')) continue
    wired.push({ name, signal: (await read(name, 'carrier')).trim() === '1' })
  }
  return (wired.find(({ signal }) => signal) ?? wired[0])?.name
}

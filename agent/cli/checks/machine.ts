import { access, constants, mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { wordsOf } from '../../../shared/errors.ts'
import { type Check, type Outcome, usualMs } from './check.ts'

const lowDiskMb = 200

export const rights: Check = {
  name: 'rights',
  withinMs: usualMs,
  async run() {
    if (process.getuid?.() === 0) return { ok: true, detail: 'runs as root' }
    const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? '0'
    // capabilities(7): CAP_NET_ADMIN is 12, CAP_NET_RAW is 13.
    const has = (bit: number) => (BigInt(`0x${effective}`) >> BigInt(bit)) & 1n
    if (has(12) && has(13)) return { ok: true, detail: 'has CAP_NET_ADMIN and CAP_NET_RAW' }
    return {
      ok: false,
      detail: 'this command was not run as root',
      next: 'Run it as root, or with sudo where there is one.',
    }
  },
}

export const stateFolder: Check = {
  name: 'state folder',
  withinMs: usualMs,
  async run({ stateDir }) {
    const probe = join(stateDir, '.doctor')
    try {
      await mkdir(stateDir, { recursive: true, mode: 0o700 })
      await writeFile(probe, 'x')
      await rm(probe)
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOSPC') return noRoom(`no space is left at ${stateDir}`)
      return { ok: false, detail: wordsOf(error), next: `Ask the administrator to make ${stateDir} writable.` }
    }
    const { bavail, bsize } = await statfs(stateDir)
    const freeMb = Math.round((bavail * bsize) / 2 ** 20)
    if (freeMb >= lowDiskMb) return { ok: true, detail: `${stateDir} can be written, ${freeMb} MB free` }
    return noRoom(`only ${freeMb} MB free at ${stateDir}`)
  },
}

/** What the agent itself keeps is bounded. */
const noRoom = (detail: string): Outcome => ({
  ok: false,
  detail,
  next: 'Ask the administrator to free some space there; a card that is too small is replaced by a larger one.',
})

/** Programs and the Debian packages they come from. */
const decoyTools: Record<string, string> = {
  nmap: 'nmap',
  nft: 'nftables',
  tcpdump: 'tcpdump',
  arping: 'iputils-arping',
  ip: 'iproute2',
  nsenter: 'util-linux',
}
const enforcerTools: Record<string, string> = { nft: 'nftables' }

export const tools: Check = {
  name: 'programs',
  withinMs: usualMs,
  async run({ role }) {
    const wanted = role === 'decoys' ? decoyTools : enforcerTools
    const missing: string[] = []
    for (const name of Object.keys(wanted)) if (!(await onPath(name))) missing.push(name)
    if (missing.length === 0) return { ok: true, detail: Object.keys(wanted).join(', ') }
    const packages = missing.map((name) => wanted[name]).join(' ')
    return { ok: false, detail: `missing: ${missing.join(', ')}`, next: `apt-get install ${packages}` }
  },
}

async function onPath(name: string): Promise<boolean> {
  const folders = `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`.split(delimiter).filter(Boolean)
  for (const folder of folders)
    if (
      await access(join(folder, name), constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return true
  return false
}

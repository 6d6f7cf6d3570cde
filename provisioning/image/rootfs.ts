import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { command } from '../build/command.ts'
import { contentHash } from '../build/content.ts'
import { aptSettings, packageSources } from '../build/debian.ts'
import type { Progress } from '../build/progress.ts'
import { depends } from '../deb/control.ts'

/** Its Docker Engine and kernel are the ones the image was booted with. */
export const release = 'trixie'

/** The time that what the packages make at their installation bears; all files get the image's own later. */
const epoch = Date.UTC(2026, 0, 1) / 1000

const components = ['main', 'non-free-firmware']
const leftOut = ['doc/*', 'man/*', 'locale/*', 'info/*', 'lintian/*'].map((name) => `/usr/share/${name}`)

/** Hooks of mmdebstrap; the last three leave nothing of this machine behind, and nothing that two boxes would share. */
const hooks = [
  '--essential-hook=mkdir -p "$1/etc/initramfs-tools/conf.d" && echo squashfs >> "$1/etc/initramfs-tools/modules" && echo RESUME=none > "$1/etc/initramfs-tools/conf.d/resume"',
  '--customize-hook=chroot "$1" passwd -l root',
  '--customize-hook=rm -f "$1/etc/apt/sources.list" "$1"/etc/apt/sources.list.d/* "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1/etc/hostname" "$1/etc/resolv.conf"',
  '--customize-hook=rm -rf "$1"/var/cache/apt/* "$1"/var/log/* "$1"/etc/ssh/ssh_host_* "$1"/var/lib/dbus/machine-id',
  '--customize-hook=: > "$1/etc/machine-id"',
]

/** The names in a list of packages; words after # are for people. */
export const packageNames = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter(Boolean)

/** First of each alternative: what the image gets. */
const ofAgent = depends.map((one) => (one.split('|')[0] ?? one).trim().split(' ')[0] ?? one)

/**
 * Debian as a tar in `cache`, by its list of packages: the slow part, made once. Remove the file to get newer packages.
 * Needs root, as what it holds is root's.
 */
export async function debianRoot(o: { cache: string; progress: Progress }): Promise<string> {
  const listed = packageNames(await readFile(join(import.meta.dirname, 'files/packages-amd64.txt'), 'utf8'))
  const packages = [...new Set([...listed, ...ofAgent])].sort()
  const hash = contentHash({ packages: packages.join(), release, hooks: hooks.join(), leftOut: leftOut.join() })
  const file = join(o.cache, `debian-amd64-${hash}.tar`)
  if (existsSync(file)) return file
  await mkdir(o.cache, { recursive: true })
  const args = [
    '--quiet',
    '--mode=root',
    '--variant=minbase',
    '--architectures=amd64',
    `--components=${components.join()}`,
    '--aptopt=Apt::Install-Recommends "0"',
    `--include=${packages.join()}`,
    ...(await aptSettings()).map((line) => `--aptopt=${line}`),
    ...leftOut.map((path) => `--dpkgopt=path-exclude=${path}`),
    '--dpkgopt=path-include=/usr/share/doc/*/copyright',
    ...hooks,
    release,
    `${file}.unfinished.tar`,
    ...(await packageSources(process.env, { release, components })),
  ]
  await o
    .progress('Debian packages', () =>
      command('mmdebstrap', args, { env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) } }),
    )
    .catch(async (error) => {
      await rm(`${file}.unfinished.tar`, { force: true })
      throw error
    })
  await rename(`${file}.unfinished.tar`, file)
  return file
}

import { mkdir } from 'node:fs/promises'
import { piped } from './command.ts'
import { contentLabel } from './content.ts'
import { aptSettings, packageSources, release } from './debian.ts'

export type RootfsOptions = {
  tag: string
  hash: string
  packages: readonly string[]
  /** Keeps downloaded packages between images and runs. */
  cache: string
}

const leftOut = [
  '/usr/share/doc/*',
  '/usr/share/man/*',
  '/usr/share/locale/*',
  '/usr/share/info/*',
  '/usr/share/lintian/*',
]

/**
 * Makes a root file system of Debian packages and imports it as an image. Everything is fetched on the host, by the
 * host's apt settings, so the later `docker build` needs no network and no container registry is asked.
 */
export async function importRootfs({ tag, hash, packages, cache }: RootfsOptions): Promise<void> {
  await mkdir(cache, { recursive: true })
  const settings = await aptSettings()
  const args = [
    '--quiet',
    '--variant=minbase',
    '--format=tar',
    `--include=${packages.join(',')}`,
    ...settings.map((line) => `--aptopt=${line}`),
    ...leftOut.map((path) => `--dpkgopt=path-exclude=${path}`),
    '--dpkgopt=path-include=/usr/share/doc/*/copyright',
    '--skip=essential/unlink',
    '--skip=download/empty',
    '--setup-hook=mkdir -p "$1/var/cache/apt/archives"',
    `--setup-hook=sync-in ${cache} /var/cache/apt/archives`,
    // What belongs to the host stays on it: mirrors (they may hold credentials), its name, its resolvers.
    `--customize-hook=sync-out /var/cache/apt/archives ${cache}`,
    '--customize-hook=rm -f "$1/etc/apt/sources.list" "$1"/etc/apt/sources.list.d/* "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1/etc/hostname" "$1/etc/resolv.conf"',
    '--customize-hook=rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/log/*.log "$1"/etc/ssh/ssh_host_*',
    release,
    '-',
    ...(await packageSources()),
  ]
  await piped(
    ['mmdebstrap', ...args],
    ['docker', 'import', '-c', `LABEL ${contentLabel}=${hash}`, '-c', 'CMD ["bash"]', '-', tag],
  )
}

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { clearLeft, makeWork } from '../../shared/work-folder.ts'
import { command, piped } from './command.ts'
import { contentLabel } from './content.ts'
import { aptSettings, packageSources, release } from './debian.ts'

export type RootfsOptions = {
  tag: string
  hash: string
  packages: readonly string[]
  /** By Debian's names; this machine must run its programs. */
  architecture: string
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
 * Makes a root file system of Debian packages and loads it as an image. Everything is fetched on the host, by the
 * host's apt settings, so the later `docker build` needs no network and no container registry is asked.
 */
export async function importRootfs({ tag, hash, packages, architecture, cache }: RootfsOptions): Promise<void> {
  await mkdir(cache, { recursive: true })
  // Beside the cache, which is copied into the root with all that lies in it.
  const beside = dirname(cache)
  await clearLeft(beside, 'root')
  const settings = await aptSettings()
  const args = [
    '--quiet',
    '--variant=minbase',
    '--format=tar',
    `--architectures=${architecture}`,
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
    '--customize-hook=rm -rf "$1"/var/cache/apt/archives/* "$1"/var/log/*.log "$1"/etc/ssh/ssh_host_*',
  ]
  const work = await makeWork(beside, 'root')
  try {
    await command('mmdebstrap', [...args, release, join(work, layer), ...(await packageSources())])
    await loadRoot(work, { tag, hash, architecture })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

const layer = 'layer.tar'

/**
 * Loads the layer in `folder` as an image (Docker Image Specification 1.2). `docker import` would call any image one of
 * this machine's own architecture, before version 23 of the engine.
 */
export async function loadRoot(folder: string, o: { tag: string; hash: string; architecture: string }): Promise<void> {
  const sum = createHash('sha256')
  for await (const chunk of createReadStream(join(folder, layer))) sum.update(chunk)
  const created = new Date().toISOString()
  const config = {
    ...{ architecture: o.architecture, os: 'linux', created },
    config: { Cmd: ['bash'], Labels: { [contentLabel]: o.hash } },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sum.digest('hex')}`] },
    history: [{ created, comment: 'Debian packages' }],
  }
  const manifest = [{ Config: 'config.json', RepoTags: [o.tag], Layers: [layer] }]
  await writeFile(join(folder, 'config.json'), JSON.stringify(config))
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest))
  await piped(['tar', '-C', folder, '-c', 'manifest.json', 'config.json', layer], ['docker', 'load', '--quiet'])
}

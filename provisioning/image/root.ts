import { appendFile, copyFile, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { command } from '../build/command.ts'
import type { Architecture } from '../deb/architectures.ts'
import { cardLayout, cardNames } from './card.ts'

const files = join(import.meta.dirname, 'files')

/** File here -> its place in the root and mode. */
const laid: readonly [string, string, number?][] = [
  ['fstab', 'etc/fstab'],
  ['wired.network', 'etc/systemd/network/80-wired.network'],
  ['docker-daemon.json', 'etc/docker/daemon.json'],
  ['firewall.nft', 'etc/nftables.conf'],
  ['agent.json', 'etc/marshlight/agent.json'],
  ['sshd.conf', 'etc/ssh/marshlight.conf'],
  ['stick.rules', 'etc/udev/rules.d/62-marshlight-stick.rules'],
  ...['clock', 'first-boot', 'ssh', 'stick@', 'trial'].map((name): [string, string] => {
    const unit = `marshlight-${name}.service`
    return [unit, `usr/lib/systemd/system/${unit}`]
  }),
  ...['cannot-start', 'no-way-on', 'slots', 'stick', 'too-small', 'trial'].map((name): [string, string, number] => [
    name,
    `usr/lib/marshlight/${name}`,
    0o755,
  ]),
]

type Own = { laid: typeof laid; written: Readonly<Record<string, string>>; enabled: readonly string[] }
/** What one kind of machine has, and the other not. */
const own: Record<Architecture, Own> = {
  amd64: {
    laid: [['data.repart', 'usr/lib/repart.d/50-data.conf']],
    written: {
      'etc/systemd/system/systemd-repart.service.d/50-before-mounts.conf':
        '[Unit]\nBefore=local-fs-pre.target\nWants=local-fs-pre.target\n',
    },
    enabled: [],
  },
  arm64: {
    laid: [
      ['marshlight-grow.service', 'usr/lib/systemd/system/marshlight-grow.service'],
      ['grow', 'usr/lib/marshlight/grow', 0o755],
    ],
    written: {
      'etc/udev/rules.d/61-marshlight.rules': cardNames(cardLayout(0)),
      // A Zero 2 W has half a gigabyte; nothing is swapped to the card.
      'etc/systemd/zram-generator.conf': '[zram0]\nzram-size = min(ram / 2, 512)\n',
    },
    enabled: ['marshlight-grow'],
  },
}

const written: Readonly<Record<string, string>> = {
  'etc/hostname': 'marshlight\n',
  'etc/hosts': '127.0.0.1 localhost marshlight\n::1 localhost ip6-localhost\n',
  // Logs lie in memory: a card is worn by nothing else as much.
  'etc/systemd/journald.conf.d/50-memory.conf': '[Journal]\nStorage=volatile\nRuntimeMaxUse=48M\n',
  'etc/systemd/system.conf.d/50-watchdog.conf': '[Manager]\nRuntimeWatchdogSec=30s\nRebootWatchdogSec=10min\n',
  'etc/systemd/resolved.conf.d/50-silent.conf': '[Resolve]\nLLMNR=no\nMulticastDNS=no\n',
  // Taken back, it forgets who may log in.
  'etc/systemd/system/marshlight-agent.service.d/50-ssh.conf': '[Service]\nReadWritePaths=-/data/ssh\n',
  // Nobody is there for a shell.
  'etc/systemd/system/emergency.service.d/50-no-shell.conf':
    '[Service]\nExecStartPre=\nExecStart=\nExecStart=/usr/lib/marshlight/no-way-on\n',
  // A box without a cable goes on booting.
  'etc/systemd/system/systemd-networkd-wait-online.service.d/50-any.conf':
    '[Service]\nExecStart=\nExecStart=/usr/lib/systemd/systemd-networkd-wait-online --any --timeout=20\n',
}

const enabled = [
  'systemd-networkd',
  'systemd-resolved',
  'systemd-timesyncd',
  'nftables',
  'docker',
  'marshlight-clock',
  'marshlight-first-boot',
  'marshlight-trial',
]
/** What would write to the card by a clock, or to a root that cannot be written. */
const masked = [
  // Nobody can log in there; the screen shows how the box is.
  'getty@tty1.service',
  // Debian's, which would let in more: ours is started for whom the enrolment file names.
  'ssh.service',
  'ssh.socket',
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'fstrim.timer',
  'e2scrub_all.timer',
]

const mountPoints = [
  'data',
  'mnt/boot',
  'mnt/slot',
  'opt/containerd',
  'var/lib/docker',
  'var/lib/containerd',
  'var/lib/marshlight-agent',
  'var/lib/systemd',
]

/** All that is laid out and set in the root beside packages. */
export const settingsOf = (architecture: Architecture) => ({
  laid: [...laid, ...own[architecture].laid],
  written: { ...written, ...own[architecture].written },
  enabled: [...enabled, ...own[architecture].enabled],
  masked,
})

export type RootInputs = {
  architecture: Architecture
  tar: string
  deb: string
  version: string
  /** The day on which the packages in `tar` were fetched. */
  packagesOf: string
  images?: string
  releaseKey?: string
}

/** Lays Debian of `tar`, our settings, the agent's package and the decoys' images out in `folder`. Needs root; mounts nothing. */
export async function layRoot(folder: string, o: RootInputs): Promise<void> {
  const { architecture, tar, deb, version, packagesOf, images, releaseKey } = o
  const settings = settingsOf(architecture)
  await mkdir(folder, { recursive: true })
  await command('tar', ['-xpf', tar, '--numeric-owner', '--xattrs', '--xattrs-include=*', '-C', folder])
  for (const [name, place, mode = 0o644] of settings.laid) await install(join(files, name), join(folder, place), mode)
  for (const [place, text] of Object.entries(settings.written)) {
    await mkdir(dirname(join(folder, place)), { recursive: true })
    await writeFile(join(folder, place), text, { mode: 0o644 })
  }
  for (const place of mountPoints) await mkdir(join(folder, place), { recursive: true })
  const inside = (...words: string[]) =>
    command('chroot', [folder, ...words], { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })
  await copyFile(deb, join(folder, basename(deb)))
  await inside('dpkg', '--install', `/${basename(deb)}`)
  await rm(join(folder, basename(deb)))
  await inside('systemctl', '--quiet', 'enable', ...settings.enabled)
  await inside('systemctl', '--quiet', 'mask', ...settings.masked)
  await rm(join(folder, 'etc/resolv.conf'), { force: true })
  await symlink('/run/systemd/resolve/stub-resolv.conf', join(folder, 'etc/resolv.conf'))
  await appendFile(
    join(folder, 'usr/lib/os-release'),
    `IMAGE_ID=marshlight\nIMAGE_VERSION="${version}"\nMARSHLIGHT_PACKAGES=${packagesOf}\n`,
  )
  if (releaseKey !== undefined)
    await install(releaseKey, join(folder, 'usr/share/marshlight/release-keys/release.pub'), 0o644)
  if (images !== undefined) {
    for (const name of ['decoys.tar', 'decoys.list'])
      await install(join(images, name), join(folder, 'usr/share/marshlight/images', name), 0o644)
  }
  // Logs of the building and dpkg's second copies tell its time, and nothing else.
  for (const name of ['var/log', 'var/cache', 'tmp']) await emptied(join(folder, name))
  for (const name of ['status-old', 'diversions-old', 'statoverride-old'])
    await rm(join(folder, 'var/lib/dpkg', name), { force: true })
}

async function install(from: string, to: string, mode: number): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await command('install', ['-m', mode.toString(8), from, to])
}

const emptied = (folder: string) => command('find', [folder, '-mindepth', '1', '-delete'])

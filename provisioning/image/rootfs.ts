import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { command } from '../build/command.ts'
import { contentHash } from '../build/content.ts'
import { aptSettings, packageSources } from '../build/debian.ts'
import type { Progress } from '../build/progress.ts'
import type { Architecture } from '../deb/architectures.ts'
import { depends } from '../deb/control.ts'

/** Its Docker Engine and kernel are the ones the image was booted with. */
export const release = 'trixie'

/** The time that what the packages make at their installation bears; all files get the image's own later. */
const epoch = Date.UTC(2026, 0, 1) / 1000

const components = ['main', 'non-free-firmware']
const leftOut = ['doc/*', 'man/*', 'locale/*', 'info/*', 'lintian/*'].map((name) => `/usr/share/${name}`)

/** The real one goes by another name until all is there: it takes minutes where another processor's programs are played. */
const initramfs = '/usr/sbin/update-initramfs'

const files = join(import.meta.dirname, 'files')
/** Where a hook finds them: its words are part of the hash, and must not differ by where the project lies. */
const filesVariable = 'MARSHLIGHT_IMAGE_FILES'

type Own = {
  suites: string[]
  leftOut: string[]
  kept: string[]
  hooks: string[]
  /** File here -> its place, there before the initramfs is made. */
  initramfs: Readonly<Record<string, string>>
}
/** What differs by the machine: beside the packages' own list. */
export const settings: Record<Architecture, Own> = {
  amd64: {
    suites: [],
    leftOut: [],
    kept: [],
    hooks: [],
    initramfs: {
      'initramfs-hook': 'etc/initramfs-tools/hooks/marshlight',
      'initramfs-too-small': 'etc/initramfs-tools/scripts/local-block/marshlight',
      'too-small': 'usr/lib/marshlight/too-small',
      'cannot-start': 'usr/lib/marshlight/cannot-start',
    },
  },
  arm64: {
    // Of its MBR Linux takes what there is: no-way-on tells.
    initramfs: {},
    suites: [`${release}-backports`],
    leftOut: [
      // Trees of all other boards, and firmware for cameras and for looking into it.
      '/usr/lib/modules/*/dtb/*',
      ...['*x.*', '*cd.*', '*db.*', 'overlays/*'].map((name) => `/usr/lib/raspi-firmware/${name}`),
    ],
    kept: ['/usr/lib/modules/*/dtb/broadcom/*'],
    hooks: [
      // raspi-firmware's package calls its hook itself, which copies kernels to /boot only once there is an initramfs.
      `--essential-hook=chroot "$1" dpkg-divert --quiet --local --rename --add ${initramfs} && ln -s /bin/true "$1${initramfs}"`,
      '--customize-hook=rm -rf "$1/boot/firmware" "$1/etc/kernel/postinst.d/z50-raspi-firmware" "$1/etc/initramfs/post-update.d/z50-raspi-firmware"',
      `--customize-hook=rm "$1${initramfs}" && chroot "$1" dpkg-divert --quiet --local --rename --remove ${initramfs} && chroot "$1" update-initramfs -c -k all`,
    ],
  },
}

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

type DebianRoot = { file: string; fetchedAt: Date }

/**
 * Debian as a tar in `cache`, by its list of packages: the slow part, made once, and anew where it is older than
 * `olderThanDays`; older ones of the architecture go once the new one is whole. Needs root, as what it holds is root's.
 */
export async function debianRoot(o: {
  architecture: Architecture
  cache: string
  progress: Progress
  olderThanDays?: number
}): Promise<DebianRoot> {
  const { architecture } = o
  const listed = packageNames(await readFile(join(files, `packages-${architecture}.txt`), 'utf8'))
  const packages = [...new Set([...listed, ...ofAgent])].sort()
  const own = settings[architecture]
  const early = Object.entries(own.initramfs)
  const [allHooks, allLeftOut] = [
    [
      ...early.map(([name, to]) => `--essential-hook=install -D -m 755 "$${filesVariable}/${name}" "$1/${to}"`),
      ...own.hooks,
      ...hooks,
    ],
    [...leftOut, ...own.leftOut],
  ]
  const what = { packages, hooks: allHooks, leftOut: allLeftOut, kept: own.kept, suites: own.suites, components }
  const parts = Object.entries(what).map(([name, words]) => [name, words.join()])
  const texts = await Promise.all(early.map(async ([name]) => [name, await readFile(join(files, name), 'utf8')]))
  const hash = contentHash({ release, ...Object.fromEntries([...parts, ...texts]) })
  const file = join(o.cache, `debian-${architecture}-${hash}.tar`)
  if (existsSync(file)) {
    const { mtime } = await stat(file)
    // A time to come is that of a clock that was wrong.
    const days = Math.max(0, daysSince(mtime))
    if (days < (o.olderThanDays ?? Number.POSITIVE_INFINITY)) return { file, fetchedAt: mtime }
  }
  await mkdir(o.cache, { recursive: true })
  const args = [
    '--quiet',
    '--mode=root',
    '--variant=minbase',
    `--architectures=${architecture}`,
    `--components=${components.join()}`,
    '--aptopt=Apt::Install-Recommends "0"',
    `--include=${packages.join()}`,
    ...(await aptSettings()).map((line) => `--aptopt=${line}`),
    ...allLeftOut.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...['/usr/share/doc/*/copyright', ...own.kept].map((path) => `--dpkgopt=path-include=${path}`),
    ...allHooks,
    release,
    `${file}.unfinished.tar`,
    ...(await packageSources(process.env, { release, components, suites: own.suites })),
  ]
  await o
    .progress('Debian packages', () =>
      command('mmdebstrap', args, {
        env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch), [filesVariable]: files },
      }),
    )
    .catch(async (error) => {
      await rm(`${file}.unfinished.tar`, { force: true })
      throw error
    })
  await rename(`${file}.unfinished.tar`, file)
  const older = new RegExp(`^debian-${architecture}-\\w+\\.tar$`)
  for (const name of await readdir(o.cache))
    if (older.test(name) && name !== basename(file)) await rm(join(o.cache, name))
  return { file, fetchedAt: (await stat(file)).mtime }
}

export const daysSince = (at: Date, now = Date.now()): number => (now - at.getTime()) / 86_400_000

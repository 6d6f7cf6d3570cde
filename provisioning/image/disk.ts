import { mkdir, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { enrolmentFileName, enrolmentLabel } from '../../shared/schemas/enrolment-file.ts'
import { command } from '../build/command.ts'
import {
  biosBoot,
  bootMiB,
  dataMiB,
  diskMiB,
  grubEnvironment,
  layout,
  type Partition,
  sfdiskScript,
  siteMiB,
} from './layout.ts'

const files = join(import.meta.dirname, 'files')
const mib = 2 ** 20

/** Modules that GRUB's core for BIOS holds: it reads a FAT and no module from anywhere. */
const coreModules =
  'biosdisk part_gpt fat search search_label configfile normal linux loadenv test echo serial terminal minicmd'.split(
    ' ',
  )

/** What UEFI reads at the fixed place, where no entry of the firmware names another: Debian's shim, and the GRUB it trusts. */
const efi = {
  'usr/lib/shim/shimx64.efi.signed': 'EFI/BOOT/BOOTX64.EFI',
  'usr/lib/shim/mmx64.efi.signed': 'EFI/BOOT/mmx64.efi',
  'usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed': 'EFI/BOOT/grubx64.efi',
} as const

export type DiskOptions = { root: string; work: string; epoch: number; enrolment?: string }

/** The root as a squashfs: read-only by what it is, and the same bytes for the same files whatever disk this is. */
export async function squashRoot({ root, work, epoch }: DiskOptions): Promise<string> {
  const file = join(work, 'root.squashfs')
  await rm(file, { force: true })
  const args = ['-noappend', '-no-progress', '-quiet', '-comp', 'zstd', '-Xcompression-level', '6', '-b', '256K']
  // It takes the time from the environment or from its options, never both.
  const { SOURCE_DATE_EPOCH: _, ...env } = process.env
  await command('mksquashfs', [root, file, ...args, '-all-time', String(epoch), '-mkfs-time', String(epoch)], { env })
  return file
}

/** `file`, pressed, beside it: the same bytes whatever the number of processors. Most of it was pressed before. */
export async function pressed(file: string): Promise<string> {
  await command('zstd', ['-q', '-f', '-T0', '-3', file, '-o', `${file}.zst`])
  return `${file}.zst`
}

/** Puts the disk together in `file`, out of file systems made each by itself: no mount and no loop device is needed. */
export async function makeDisk(file: string, squash: string, o: DiskOptions): Promise<Partition[]> {
  const partitions = layout((await stat(squash)).size)
  const at = (name: string) => partitions.find((one) => one.name === name)?.startMiB ?? 0
  const [boot, site, data] = await Promise.all([bootFat(o), siteFat(o), dataFs(o)])
  await rm(file, { force: true })
  await writeFile(file, '')
  await truncate(file, diskMiB(partitions) * mib)
  await command('sfdisk', ['--quiet', file], { input: sfdiskScript(partitions) })
  for (const [from, name] of [
    [boot, 'marshlight-boot'],
    [squash, 'marshlight-root-A'],
    [site, 'marshlight-site'],
    [data, 'marshlight-data'],
  ] as const)
    await command('dd', [`if=${from}`, `of=${file}`, 'bs=1M', `seek=${at(name)}`, 'conv=sparse,notrunc', 'status=none'])
  await bootByBios(file, at('marshlight-bios'), o)
  return partitions
}

async function bootByBios(file: string, startMiB: number, { root, work }: DiskOptions): Promise<void> {
  const early = join(root, 'early.cfg')
  await writeFile(early, await readFile(join(files, 'grub-bios.cfg')))
  await command('chroot', [
    root,
    'grub-mkimage',
    '-O',
    'i386-pc',
    '-c',
    '/early.cfg',
    '-p',
    '/EFI/debian',
    '-o',
    '/core.img',
    ...coreModules,
  ])
  const boot = await readFile(join(root, 'usr/lib/grub/i386-pc/boot.img'))
  const { sector0, core } = biosBoot(boot, await readFile(join(root, 'core.img')), startMiB)
  for (const name of ['early.cfg', 'core.img']) await rm(join(root, name))
  await mkdir(work, { recursive: true })
  const disk = await open(file, 'r+')
  try {
    await disk.write(sector0, 0, sector0.length, 0)
    await disk.write(core, 0, core.length, startMiB * mib)
  } finally {
    await disk.close()
  }
}

/** Kernels lie here, one a slot: firmware and GRUB read a FAT wherever they come from. */
async function bootFat({ root, work, epoch }: DiskOptions): Promise<string> {
  const file = await fat(join(work, 'boot.fat'), 'MARSHBOOT', '4d415253', bootMiB)
  const put = copier(file, epoch)
  await put.folders('EFI', 'EFI/BOOT', 'EFI/debian', 'A', 'B')
  for (const [from, to] of Object.entries(efi)) await put.file(join(root, from), to)
  await put.file(join(files, 'grub.cfg'), 'EFI/debian/grub.cfg')
  await writeFile(join(work, 'grubenv'), grubEnvironment())
  await put.file(join(work, 'grubenv'), 'grubenv')
  await put.file(join(root, 'vmlinuz'), 'A/vmlinuz')
  await put.file(join(root, 'initrd.img'), 'A/initrd.img')
  return file
}

/** A partition that every system shows as a drive, for the enrolment file. */
async function siteFat({ work, epoch, enrolment }: DiskOptions): Promise<string> {
  const file = await fat(join(work, 'site.fat'), enrolmentLabel, '53495445', siteMiB)
  if (enrolment !== undefined) {
    await writeFile(join(work, enrolmentFileName), enrolment, { mode: 0o600 })
    await copier(file, epoch).file(join(work, enrolmentFileName), enrolmentFileName)
  }
  return file
}

async function fat(file: string, label: string, id: string, sizeMiB: number): Promise<string> {
  await rm(file, { force: true })
  await writeFile(file, '')
  await truncate(file, sizeMiB * mib)
  await command('mkfs.vfat', ['--invariant', '-n', label, '-i', id, file])
  return file
}

function copier(fatFile: string, epoch: number) {
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(epoch), MTOOLS_SKIP_CHECK: '1' }
  return {
    folders: (...names: string[]) => command('mmd', ['-i', fatFile, ...names.map((name) => `::${name}`)], { env }),
    // -L would copy a link's target; mcopy follows the links that /vmlinuz and /initrd.img are by itself.
    file: (from: string, to: string) => command('mcopy', ['-i', fatFile, from, `::${to}`], { env }),
  }
}

async function dataFs({ work, epoch }: DiskOptions): Promise<string> {
  const [folder, file] = [join(work, 'data'), join(work, 'data.ext4')]
  await rm(folder, { recursive: true, force: true })
  await rm(file, { force: true })
  await mkdir(folder, { recursive: true })
  for (const name of ['agent', 'docker', 'containerd']) await mkdir(join(folder, name), { mode: 0o700 })
  // Others than root keep something here: the clock's last time.
  await mkdir(join(folder, 'systemd'), { mode: 0o755 })
  const uuid = '4d415253-484c-4947-8854-0000000000d0'
  await command(
    'mke2fs',
    [
      '-q',
      '-t',
      'ext4',
      '-L',
      'marshlight-data',
      '-U',
      uuid,
      // What a large disk gets by itself: this one grows.
      '-b',
      '4096',
      '-E',
      `hash_seed=${uuid},root_owner=0:0,resize=67108864`,
      '-d',
      folder,
      file,
      `${dataMiB}M`,
    ],
    {
      env: { ...process.env, E2FSPROGS_FAKE_TIME: String(epoch) },
    },
  )
  return file
}

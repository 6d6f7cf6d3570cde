import { rm, stat, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { enrolmentFileName, enrolmentLabel } from '../../shared/schemas/enrolment-file.ts'
import { command } from '../build/command.ts'
import type { Architecture } from '../deb/architectures.ts'
import { boards } from './boards.ts'
import { copier, fat } from './fat.ts'
import { bootMiB, dataMiB, diskMiB, grubEnvironment, type Partition, siteMiB } from './layout.ts'

const files = join(import.meta.dirname, 'files')
const mib = 2 ** 20

export type DiskOptions = { architecture: Architecture; root: string; work: string; epoch: number; enrolment?: string }

/** The root as a squashfs: read-only by what it is, and the same bytes for the same files whatever disk this is. */
export async function squashRoot({ root, work, epoch }: Omit<DiskOptions, 'architecture'>): Promise<string> {
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
  const board = boards[o.architecture]
  const partitions = board.layout((await stat(squash)).size)
  const at = (name: string) => partitions.find((one) => one.name === name)?.startMiB ?? 0
  const [boot, site, data] = await Promise.all([bootFat(o), siteFat(o), dataFs(o)])
  await rm(file, { force: true })
  await writeFile(file, '')
  await truncate(file, diskMiB(partitions) * mib)
  await command('sfdisk', ['--quiet', file], { input: board.script(partitions) })
  for (const [from, name] of [
    [boot, 'marshlight-boot'],
    [squash, 'marshlight-root-A'],
    [site, 'marshlight-site'],
    [data, 'marshlight-data'],
  ] as const)
    await command('dd', [`if=${from}`, `of=${file}`, 'bs=1M', `seek=${at(name)}`, 'conv=sparse,notrunc', 'status=none'])
  await board.finish?.(file, partitions, o)
  return partitions
}

/** Kernels lie here, one a slot: firmware and GRUB read a FAT wherever they come from. */
async function bootFat({ architecture, root, work, epoch }: DiskOptions): Promise<string> {
  const { bootFiles, fatBits } = boards[architecture]
  const size = { label: 'MARSHBOOT', id: '4d415253', sizeMiB: bootMiB, ...(fatBits && { bits: fatBits }) }
  const file = await fat(join(work, 'boot.fat'), size)
  await writeFile(join(work, 'grubenv'), grubEnvironment())
  const wanted = {
    ...(await bootFiles({ root, work })),
    'EFI/debian/grub.cfg': join(files, 'grub.cfg'),
    grubenv: join(work, 'grubenv'),
    'A/vmlinuz': join(root, 'vmlinuz'),
    'A/initrd.img': join(root, 'initrd.img'),
  }
  const put = copier(file, epoch)
  const folders = new Set(Object.keys(wanted).map((name) => dirname(name)))
  await put.folders('EFI', ...[...folders, 'B'].filter((name) => name !== '.').sort())
  for (const [to, from] of Object.entries(wanted)) await put.file(from, to)
  return file
}

/** A partition that every system shows as a drive, for the enrolment file. */
async function siteFat({ work, epoch, enrolment }: DiskOptions): Promise<string> {
  const file = await fat(join(work, 'site.fat'), { label: enrolmentLabel, id: '53495445', sizeMiB: siteMiB })
  if (enrolment !== undefined) {
    await writeFile(join(work, enrolmentFileName), enrolment, { mode: 0o600 })
    await copier(file, epoch).file(join(work, enrolmentFileName), enrolmentFileName)
  }
  return file
}

/** What it holds at first; others than root keep something in `systemd`: the clock's last time. */
const dataFolders = { agent: 700, docker: 700, containerd: 700, systemd: 755 }

async function dataFs({ work, epoch }: DiskOptions): Promise<string> {
  const file = join(work, 'data.ext4')
  await rm(file, { force: true })
  const uuid = '4d415253-484c-4947-8854-0000000000d0'
  const env = { ...process.env, E2FSPROGS_FAKE_TIME: String(epoch) }
  // What a large disk gets by itself: this one grows.
  const grows = ['-b', '4096', '-E', `hash_seed=${uuid},root_owner=0:0,resize=67108864`]
  await command('mke2fs', ['-q', '-t', 'ext4', '-L', 'marshlight-data', '-U', uuid, ...grows, file, `${dataMiB}M`], {
    env,
  })
  // Not copied out of a folder: copies bear the time at which that was made.
  const made = Object.entries(dataFolders).map(([name, mode]) => `mkdir ${name}\nsif ${name} mode 040${mode}\n`)
  await command('debugfs', ['-w', '-f', '-', file], { env, input: made.join('') })
  return file
}

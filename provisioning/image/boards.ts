import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { command } from '../build/command.ts'
import type { Architecture } from '../deb/architectures.ts'
import { cardLayout, cardScript, cardTrees, ubootEnvironment } from './card.ts'
import { biosBoot, layout, type Partition, sfdiskScript } from './layout.ts'

const files = join(import.meta.dirname, 'files')

type Place = { root: string; work: string }
export type Board = {
  layout(rootBytes: number): Partition[]
  /** What sfdisk reads. */
  script(partitions: readonly Partition[]): string
  fatBits?: 32
  /** What the boot partition holds beside kernels and GRUB's settings: place there -> file. */
  bootFiles(at: Place): Promise<Record<string, string>>
  /** What is written beside partitions. */
  finish?(disk: string, partitions: readonly Partition[], at: Place): Promise<void>
}

export const boards: Record<Architecture, Board> = {
  amd64: {
    layout,
    script: sfdiskScript,
    // What UEFI reads at the fixed place, where no entry of the firmware names another: Debian's shim, and the GRUB it trusts.
    bootFiles: async ({ root }) => ({
      'EFI/BOOT/BOOTX64.EFI': join(root, 'usr/lib/shim/shimx64.efi.signed'),
      'EFI/BOOT/mmx64.efi': join(root, 'usr/lib/shim/mmx64.efi.signed'),
      'EFI/BOOT/grubx64.efi': join(root, 'usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed'),
    }),
    finish: bootByBios,
  },
  arm64: { layout: cardLayout, script: cardScript, fatBits: 32, bootFiles: firmwareOfPi },
}

/** The firmware's first stages for Pi 3 and Zero 2 W (bootcode, start) and for Pi 4 (start4); a Pi 5 has its own on the board. */
const firmware = ['bootcode.bin', 'start.elf', 'fixup.dat', 'start4.elf', 'fixup4.dat']

/** The board's firmware starts U-Boot, and that GRUB by UEFI, as it is started on any other machine. */
async function firmwareOfPi({ root, work }: Place): Promise<Record<string, string>> {
  const [modules = ''] = await readdir(join(root, 'usr/lib/modules'))
  const trees = join(root, 'usr/lib/modules', modules, 'dtb/broadcom')
  const environment = join(work, 'uboot.env')
  await writeFile(environment, ubootEnvironment())
  return {
    ...Object.fromEntries(firmware.map((name) => [name, join(root, 'usr/lib/raspi-firmware', name)])),
    'config.txt': join(files, 'config.txt'),
    'u-boot.bin': join(root, 'usr/lib/u-boot/rpi_arm64/u-boot.bin'),
    'uboot.env': environment,
    ...Object.fromEntries(cardTrees(await readdir(trees)).map(([called, name]) => [called, join(trees, name)])),
    'EFI/BOOT/BOOTAA64.EFI': join(root, 'usr/lib/grub/arm64-efi-signed/grubaa64.efi.signed'),
  }
}

/** Modules that GRUB's core for BIOS holds: it reads a FAT and no module from anywhere. */
const coreModules =
  'biosdisk part_gpt fat search search_label configfile normal linux loadenv test echo serial terminal minicmd'.split(
    ' ',
  )

async function bootByBios(file: string, partitions: readonly Partition[], { root, work }: Place): Promise<void> {
  const startMiB = partitions.find(({ name }) => name === 'marshlight-bios')?.startMiB ?? 0
  const early = join(root, 'early.cfg')
  await writeFile(early, await readFile(join(files, 'grub-bios.cfg')))
  const made = ['-O', 'i386-pc', '-c', '/early.cfg', '-p', '/EFI/debian', '-o', '/core.img']
  await command('chroot', [root, 'grub-mkimage', ...made, ...coreModules])
  const boot = await readFile(join(root, 'usr/lib/grub/i386-pc/boot.img'))
  const { sector0, core } = biosBoot(boot, await readFile(join(root, 'core.img')), startMiB)
  for (const name of ['early.cfg', 'core.img']) await rm(join(root, name))
  await mkdir(work, { recursive: true })
  const disk = await open(file, 'r+')
  try {
    await disk.write(sector0, 0, sector0.length, 0)
    await disk.write(core, 0, core.length, startMiB * 2 ** 20)
  } finally {
    await disk.close()
  }
}

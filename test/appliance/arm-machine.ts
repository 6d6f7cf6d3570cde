import { existsSync } from 'node:fs'
import { copyFile, writeFile } from 'node:fs/promises'
import { command } from '../../provisioning/build/command.ts'
import type { MachineOptions } from './machine.ts'

export const armQemu = 'qemu-system-aarch64'
const firmwareFolder = '/usr/share/AAVMF'
/** Where slots.md says that the card's boot partition begins. */
const bootOffset = '2M'

/**
 * `virt`: a machine of no make with UEFI, two cores and 1 GB. `pi`: a Raspberry Pi 3 as QEMU has it, 1 GB, its network at
 * USB. QEMU does not play the Pi's own firmware: what that would load by config.txt, U-Boot and the tree of devices, is
 * taken out of the card's FAT and given to QEMU. Everything from U-Boot on comes from the card.
 */
export type ArmFirmware = 'virt' | 'pi'
export const isArm = (firmware: string): firmware is ArmFirmware => firmware === 'virt' || firmware === 'pi'

/** Words for the kernel that one machine of QEMU needs, laid on the card as slots.md tells. */
const words: Record<ArmFirmware, string> = {
  virt: 'console=ttyAMA0,115200',
  // QEMU's has no clock: it ends the machine as soon as the watchdog is set.
  pi: 'modprobe.blacklist=bcm2835_wdt',
}

/** Packages that are missing on this machine to boot these. */
export const armMissing = (): string[] => [
  ...(existsSync(`/usr/bin/${armQemu}`) ? [] : ['qemu-system-arm']),
  ...(existsSync(`${firmwareFolder}/AAVMF_CODE.fd`) ? [] : ['qemu-efi-aarch64']),
]

export async function armArguments(firmware: ArmFirmware, o: MachineOptions): Promise<string[]> {
  const { disk, variables, plug } = o
  const onCard = ['-i', `${disk}@@${bootOffset}`]
  // What it does is told: there is nothing else by which to see why it stops.
  await writeFile(`${disk}.words`, `set words="$words ${words[firmware]} loglevel=6 systemd.show_status=yes"\n`)
  await command('mcopy', ['-o', ...onCard, `${disk}.words`, '::words.cfg'])
  const shared = ['-accel', 'tcg,thread=multi', '-nodefaults', '-display', 'none']
  shared.push('-netdev', `tap,id=n,ifname=${plug.tap},script=no,downscript=no`)
  if (firmware === 'virt') {
    if (!existsSync(variables)) await copyFile(`${firmwareFolder}/AAVMF_VARS.fd`, variables)
    const flash = [`readonly=on,file=${firmwareFolder}/AAVMF_CODE.fd`, `file=${variables}`]
    return [
      ...['-machine', 'virt', '-cpu', 'cortex-a72', '-smp', '2', '-m', '1024', '-serial', 'stdio', ...shared],
      ...flash.flatMap((file, unit) => ['-drive', `if=pflash,unit=${unit},format=raw,${file}`]),
      ...['-drive', `file=${disk},format=raw,if=virtio,cache=writeback`, '-device', 'virtio-rng-pci'],
      ...['-device', `virtio-net-pci,netdev=n,mac=${plug.mac}`],
    ]
  }
  for (const name of ['u-boot.bin', 'bcm2837-rpi-3-b.dtb'])
    await command('mcopy', ['-o', ...onCard, `::${name}`, `${disk}.${name}`])
  return [
    ...['-machine', 'raspi3b', ...shared, '-serial', 'null', '-serial', 'stdio'],
    ...['-kernel', `${disk}.u-boot.bin`, '-dtb', `${disk}.bcm2837-rpi-3-b.dtb`],
    ...['-drive', `file=${disk},format=raw,if=sd,cache=writeback`, '-device', `usb-net,netdev=n,mac=${plug.mac}`],
  ]
}

import { crc32 } from 'node:zlib'
import { bootMiB, dataMiB, type Partition, siteMiB, slotMiB } from './layout.ts'

/**
 * A Raspberry Pi's card, in MiB. The first stage of a Pi 3 and a Zero 2 W reads an MBR only, which has four places; one
 * of them holds both slots. Data stays out of it and last: growing it changes one sector of the card.
 *
 *   2 | boot 256 | site 16 | extended ( 1 | root A | 1 | root B ) | data 256 ... | 1
 *
 * The site's partition begins where it does in every image.
 */
const diskId = '4d415253'
const extended = 'extended'
const types = { fat32: 'c', extended: 'f', linux: '83' } as const
/** Before each of the extended one's, for its own table. */
const tableMiB = 1

export function cardLayout(rootBytes: number): Partition[] {
  const slot = slotMiB(rootBytes)
  const at = (
    name: string,
    number: number,
    type: keyof typeof types,
    startMiB: number,
    sizeMiB: number,
  ): Partition => ({
    ...{ name, startMiB, sizeMiB, type: types[type] },
    // What Linux knows it by, as an MBR has no names.
    uuid: `${diskId}-${String(number).padStart(2, '0')}`,
  })
  const boot = at('marshlight-boot', 1, 'fat32', 2, bootMiB)
  const site = at('marshlight-site', 2, 'fat32', boot.startMiB + boot.sizeMiB, siteMiB)
  const slots = at(extended, 3, 'extended', site.startMiB + site.sizeMiB, 2 * (tableMiB + slot))
  const rootA = at('marshlight-root-A', 5, 'linux', slots.startMiB + tableMiB, slot)
  const rootB = at('marshlight-root-B', 6, 'linux', rootA.startMiB + slot + tableMiB, slot)
  const data = at('marshlight-data', 4, 'linux', slots.startMiB + slots.sizeMiB, dataMiB)
  return [boot, site, slots, data, rootA, rootB]
}

/** What sfdisk reads. */
export const cardScript = (partitions: readonly Partition[]): string =>
  [
    'label: dos',
    `label-id: 0x${diskId}`,
    'unit: sectors',
    '',
    ...partitions.map(({ startMiB, sizeMiB, type, name, uuid }) => {
      const bootable = name === 'marshlight-boot' ? ', bootable' : ''
      return `${Number(uuid.slice(-2))} : start=${startMiB * 2048}, size=${sizeMiB * 2048}, type=${type}${bootable}`
    }),
    '',
  ].join('\n')

/** Rules of udev by which the card's partitions have the names that an image of a GPT has. */
export const cardNames = (partitions: readonly Partition[]): string =>
  [
    '# An MBR has no names of partitions: these are the ones that all images have.',
    'SUBSYSTEM!="block", GOTO="marshlight_end"',
    ...partitions
      .filter(({ name }) => name !== extended)
      .map(({ name, uuid }) => `ENV{ID_PART_ENTRY_UUID}=="${uuid}", SYMLINK+="disk/by-partlabel/${name}"`),
    'LABEL="marshlight_end"',
    '',
  ].join('\n')

/** Names by which a board's firmware asks for a tree that the kernel calls otherwise: the second make of the Pi 5. */
const alsoCalled: Readonly<Record<string, string>> = { 'bcm2712-d-rpi-5-b.dtb': 'bcm2712d0-rpi-5-b.dtb' }

/** Of the kernel's trees of devices those of a Raspberry Pi: name on the card, file. Its chips are bcm27 and, before the Pi 4, bcm28. */
export const cardTrees = (names: readonly string[]): [called: string, file: string][] =>
  names
    .filter((name) => /^bcm2[78]\d\d-.*rpi.*\.dtb$/.test(name))
    .sort()
    .flatMap((name) => [name, alsoCalled[name] ?? []].flat().map((called): [string, string] => [called, name]))

/** CONFIG_ENV_SIZE of U-Boot's rpi_arm64. */
const environmentBytes = 0x4000

/**
 * U-Boot's settings, instead of its own: nothing on the serial line or a keyboard stops it, as a line that ends nowhere
 * does by its noise; the card comes first, and USB is looked at only where nothing starts from it.
 */
export function ubootEnvironment(): Buffer {
  const settings = {
    ...{ bootdelay: '-2', bootcmd: 'bootflow scan', boot_targets: 'mmc usb', baudrate: '115200' },
    ...{ stdin: 'serial', stdout: 'serial,vidconsole', stderr: 'serial,vidconsole' },
    // Where Debian's u-boot-rpi puts what it loads.
    ...{ loadaddr: '0x1000000', kernel_addr_r: '0x00080000', scriptaddr: '0x02400000', pxefile_addr_r: '0x02500000' },
    ...{
      fdt_addr_r: '0x02600000',
      ramdisk_addr_r: '0x02700000',
      fdt_high: 'f'.repeat(16),
      initrd_high: 'f'.repeat(16),
    },
  }
  const data = Buffer.alloc(environmentBytes - 4)
  data.write(
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\0`)
      .join(''),
  )
  const sum = Buffer.alloc(4)
  sum.writeUInt32LE(crc32(data))
  return Buffer.concat([sum, data])
}

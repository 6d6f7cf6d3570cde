/**
 * The disk of an x86 box, in MiB (a Raspberry Pi's: card.ts). Slots and data are laid out from the first release on, whether or not it updates slots: a card in
 * the field cannot be divided anew. Data comes last and grows.
 *
 *   1 | bios 1 | boot (ESP) 256 | site (FAT, seen by Windows) 16 | root A | root B | data 256 ... | 1
 *
 * What the site's partition begins at is the same in every image, so that files are put into it by any tool.
 */
export type Partition = { name: string; type: string; uuid: string; startMiB: number; sizeMiB: number }

const guid = {
  bios: '21686148-6449-6E6F-744E-656564454649',
  esp: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
  root: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709',
  basicData: 'EBD0A0A2-B9E5-4433-87C0-68B6B72699C7',
  linux: '0FC63DAF-8483-4772-8E79-3D69D8477DE4',
} as const

/** A slot holds this much more than its first root: a later one may be larger. */
const slotGrowth = 1.5
const stepMiB = 64

export const bootMiB = 256
export const siteMiB = 16
export const dataMiB = 256

/** What a slot takes whose first root has `rootBytes`. */
export const slotMiB = (rootBytes: number): number => Math.ceil((rootBytes * slotGrowth) / 2 ** 20 / stepMiB) * stepMiB

/** Partitions in order, for a root of `rootBytes`. */
export function layout(rootBytes: number): Partition[] {
  const slot = slotMiB(rootBytes)
  const wanted: [string, string, number][] = [
    ['marshlight-bios', guid.bios, 1],
    ['marshlight-boot', guid.esp, bootMiB],
    ['marshlight-site', guid.basicData, siteMiB],
    ['marshlight-root-A', guid.root, slot],
    ['marshlight-root-B', guid.root, slot],
    ['marshlight-data', guid.linux, dataMiB],
  ]
  let startMiB = 1
  return wanted.map(([name, type, sizeMiB], at) => {
    const one = { name, type, sizeMiB, startMiB, uuid: `4d415253-484c-4947-8854-00000000000${at + 1}` }
    startMiB += sizeMiB
    return one
  })
}

/** One more at the end for the second copy of the table. */
export const diskMiB = (partitions: readonly Partition[]): number =>
  Math.max(...partitions.map(({ startMiB, sizeMiB }) => startMiB + sizeMiB)) + 1

/** What sfdisk reads. */
export const sfdiskScript = (partitions: readonly Partition[]): string =>
  [
    'label: gpt',
    'label-id: 4d415253-484c-4947-8854-000000000000',
    'unit: sectors',
    '',
    ...partitions.map(
      ({ name, type, uuid, startMiB, sizeMiB }) =>
        `start=${startMiB * 2048}, size=${sizeMiB * 2048}, type=${type}, uuid=${uuid}, name="${name}"`,
    ),
    '',
  ].join('\n')

const sector = 512
/** GNU GRUB's boot/i386/pc: where boot.img keeps the core's first sector, and its check of the drive. */
const kernelSectorAt = 0x5c
const driveCheckAt = 0x66
/** diskboot.img, the core's first sector: the block list's last entry begins here with the sector after it. */
const blockListAt = sector - 12
const bootCodeBytes = 440

/** Boot code for sector 0 and the core for the BIOS partition at `startMiB`: what grub-install writes on a disk it may open. */
export function biosBoot(bootImg: Buffer, coreImg: Buffer, startMiB: number): { sector0: Buffer; core: Buffer } {
  const first = BigInt(startMiB * 2048)
  const sector0 = Buffer.from(bootImg.subarray(0, bootCodeBytes))
  sector0.writeBigUInt64LE(first, kernelSectorAt)
  // Two no-operations: a disk's BIOS names its drive rightly.
  sector0.writeUInt16LE(0x9090, driveCheckAt)
  const core = Buffer.from(coreImg)
  core.writeBigUInt64LE(first + 1n, blockListAt)
  return { sector0, core }
}

const environmentBytes = 1024

/** GRUB's environment block as slots.md has it: its words first, then filled up. */
export const grubEnvironment = (): string =>
  '# GRUB Environment Block\nslot=A\ntrial=\nwithin=900\n'.padEnd(environmentBytes, '#')

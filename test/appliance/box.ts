import { randomBytes } from 'node:crypto'
import { stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { command } from '../../provisioning/build/command.ts'
import { enrolmentFileName } from '../../shared/schemas/enrolment-file.ts'
import { type Firmware, type Machine, type MachineOptions, powerOn } from './machine.ts'

/** A card larger than the image, as every real one is. */
const cardBytes = 8 * 2 ** 30

export type Box = {
  disk: string
  /** `stick`: what is in its USB from then on. */
  powerOn(onLine?: (line: string) => void, stick?: string): Promise<Machine>
}

/** A box with the image on its card, and the enrolment file on the card's FAT, as a technician would have it. */
export async function makeBox(o: {
  image: string
  folder: string
  firmware: Firmware
  plug: MachineOptions['plug']
  clock?: string
  enrolment?: string
  /** So many bytes of the image's end have no room on its card. */
  lacksBytes?: number
}): Promise<Box> {
  const tag = randomBytes(3).toString('hex')
  const disk = join(o.folder, `${tag}.img`)
  await command('zstd', ['-q', '-d', '--sparse', o.image, '-o', disk])
  await truncate(disk, o.lacksBytes === undefined ? cardBytes : (await stat(disk)).size - o.lacksBytes)
  if (o.enrolment !== undefined) {
    const file = join(o.folder, `${tag}.json`)
    await writeFile(file, o.enrolment, { mode: 0o600 })
    // As slots.md says where the partition begins.
    await command('mcopy', ['-o', '-i', `${disk}@@258M`, file, `::${enrolmentFileName}`])
  }
  const { firmware, plug, clock } = o
  const machine = { disk, firmware, plug, variables: join(o.folder, `${tag}.vars`), ...(clock && { clock }) }
  return {
    disk,
    powerOn: (onLine, stick) =>
      powerOn({ ...machine, ...(onLine !== undefined && { onLine }), ...(stick !== undefined && { stick }) }),
  }
}

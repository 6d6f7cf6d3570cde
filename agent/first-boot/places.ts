import { type FileHandle, open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { enrolmentFileBytes, enrolmentFileName } from '../../shared/schemas/enrolment-file.ts'
import { type Disk, findFile, openFat, overwriteExtents, readExtents } from './fat.ts'

/** A file by which a box enrols, where it was found. */
export type Found = {
  /** For people: `the card (mmcblk0p1)`. */
  where: string
  text: string
  /** Writes `text` over the very bytes of the file, and makes it durable. It is cut, or filled up with spaces. */
  overwrite(text: string): Promise<void>
}

const mostDevices = 64
/** Partitions and undivided disks that a card, a stick or a disk may show; not loops, memory, or what maps others. */
const disks = /^(sd[a-z]{1,2}\d*|vd[a-z]\d*|mmcblk\d+(p\d+)?|nvme\d+n\d+(p\d+)?)$/

/** Devices that may hold the file, sticks last: what was put on the card itself comes first. `root`: where /sys and /dev are. */
export async function devicesIn(root: string): Promise<{ path: string; where: string }[]> {
  const names = (await readdir(join(root, '/sys/class/block')).catch(() => []))
    .filter((name) => disks.test(name))
    .sort()
  const listed = await Promise.all(
    names.slice(0, mostDevices).map(async (name) => {
      const whole = name.replace(/^(mmcblk\d+|nvme\d+n\d+)p\d+$/, '$1').replace(/^([sv]d[a-z]+)\d+$/, '$1')
      const removable = await readFile(join(root, '/sys/class/block', whole, 'removable'), 'utf8').catch(() => '0')
      const isStick = removable.trim() === '1' && !whole.startsWith('mmcblk')
      return { path: join(root, '/dev', name), where: `${isStick ? 'the USB stick' : 'the card'} (${name})`, isStick }
    }),
  )
  return listed.sort((a, b) => Number(a.isStick) - Number(b.isStick))
}

/**
 * The enrolment files on these devices. A device that cannot be read, and one without FAT, has none; a file that cannot
 * be read is an error of ENROLMENT_FILE_INVALID in its place.
 */
export async function lookFor(
  devices: readonly { path: string; where: string }[],
): Promise<(Found | MarshlightError)[]> {
  const found: (Found | MarshlightError)[] = []
  for (const { path, where } of devices) {
    const handle = await open(path, 'r').catch(() => undefined)
    if (!handle) continue
    try {
      const one = await lookAt(handle, path, where)
      if (one) found.push(one)
    } finally {
      await handle.close()
    }
  }
  return found
}

async function lookAt(handle: FileHandle, path: string, where: string): Promise<Found | MarshlightError | undefined> {
  const unreadable = (value: string, why: string) =>
    new MarshlightError('ENROLMENT_FILE_INVALID', {
      file: `${enrolmentFileName} on ${where}`,
      path: 'the file',
      value,
      why,
    })
  try {
    const disk = diskOf(handle)
    if (!(await openFat(disk))) return undefined
    const file = await findFile(disk, enrolmentFileName)
    if (!file) return undefined
    if (file.bytes > enrolmentFileBytes)
      return unreadable(`${file.bytes} bytes`, `more than ${enrolmentFileBytes / 1024} KiB`)
    const text = (await readExtents(disk, file.extents)).toString('utf8')
    return { where, text, overwrite: (note) => overwriteAt(path, text, note) }
  } catch (error) {
    // A disk that went away while it was read, or a file system that contradicts itself.
    return unreadable('unreadable', wordsOf(error).slice(0, 200))
  }
}

/** Looks anew where the file lies: another stick may be in by now, and nothing of that one is touched. */
async function overwriteAt(path: string, text: string, note: string): Promise<void> {
  const handle = await open(path, 'r+')
  try {
    const disk = diskOf(handle)
    const file = await findFile(disk, enrolmentFileName)
    if (!file || (await readExtents(disk, file.extents)).toString('utf8') !== text) return
    const filled = Buffer.alloc(file.bytes, ' ')
    Buffer.from(note).copy(filled)
    await overwriteExtents(disk, file.extents, filled)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const diskOf = (handle: FileHandle): Disk => ({
  async read(offset, length) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset)
    return buffer.subarray(0, bytesRead)
  },
  async write(offset, bytes) {
    const { bytesWritten } = await handle.write(bytes, 0, bytes.length, offset)
    if (bytesWritten !== bytes.length) throw new Error(`only ${bytesWritten} of ${bytes.length} bytes were written`)
  },
})

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Hardware } from '../../shared/schemas/hardware.ts'

/** Where a board says who it is: SMBIOS on a PC, the device tree on a Raspberry Pi. The first that says something counts. */
const boardFiles = [
  'sys/class/dmi/id/product_uuid',
  'sys/class/dmi/id/board_serial',
  'sys/class/dmi/id/product_serial',
  'proc/device-tree/serial-number',
]
/** What makers leave in when they forget to write one. */
const noSerial =
  /^(0+|f+|x+|1234567890?|to be filled.*|default string|system serial.*|not (specified|applicable|available)|none|n\/a|03000200-0400-0500-0006-000700080009)$/i

/**
 * What of this box does not go along when its card is copied: its board's serial number and its cards' own addresses, as
 * hashes. `root` is where the kernel's files are.
 */
export async function readHardware(root = '/'): Promise<Hardware> {
  const board = await readBoard(root)
  const macs = await readMacs(root)
  return { ...(board !== undefined && { board: hashOf('board', board) }), macs: macs.map((mac) => hashOf('mac', mac)) }
}

async function readBoard(root: string): Promise<string | undefined> {
  for (const file of boardFiles) {
    const text = (await textOf(join(root, file))).replaceAll('\0', '').trim()
    if (text !== '' && !noSerial.test(text.replaceAll(/^[\s0-]+$/g, '0'))) return text.toLowerCase()
  }
  return undefined
}

/** Of cards that are devices, in their maker's own numbering: a bridge or a random address says nothing of the box. */
async function readMacs(root: string): Promise<string[]> {
  const folder = join(root, 'sys/class/net')
  const found = new Set<string>()
  for (const name of await readdir(folder).catch(() => [])) {
    const isDevice = await readdir(join(folder, name, 'device')).then(
      () => true,
      () => false,
    )
    const assigned = (await textOf(join(folder, name, 'addr_assign_type'))).trim()
    const mac = (await textOf(join(folder, name, 'address'))).trim().toLowerCase()
    if (isDevice && (assigned === '' || assigned === '0') && /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac)) found.add(mac)
  }
  return [...found].sort().slice(0, 16)
}

const textOf = (path: string) => readFile(path, 'utf8').catch(() => '')
const hashOf = (kind: string, text: string) =>
  createHash('sha256').update(`marshlight ${kind} ${text}`).digest('hex').slice(0, 32)

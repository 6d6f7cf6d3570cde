/**
 * One file in the root folder of a FAT file system, read and overwritten in place, without mounting it: a kernel may lack
 * the driver, and what is on a stranger's stick is better read by bounded code than by a kernel's as root.
 * After Microsoft's "FAT: General Overview of On-Disk Format" 1.03; long names as its section on them says.
 */
export type Disk = {
  read(offset: number, length: number): Promise<Buffer>
  write(offset: number, bytes: Uint8Array): Promise<void>
}
/** A run of bytes on the disk. */
export type Extent = { offset: number; length: number }
export type FatFile = { label: string; bytes: number; extents: Extent[] }

type Volume = {
  bits: 12 | 16 | 32
  clusterBytes: number
  clusters: number
  fat: Extent
  data: number
  /** Of FAT12 and 16: a place of its own. Of FAT32: its first cluster. */
  root: Extent | number
  label: string
}

const sectorBytes = 512
const entryBytes = 32
/** A root folder longer than this is none that anybody made for a box. */
const mostRootBytes = 1 << 20
const mostFileBytes = 1 << 20
const [isVolumeLabel, isFolder, isLongName] = [0x08, 0x10, 0x0f]

/** Undefined where there is no FAT file system. */
export async function openFat(disk: Disk): Promise<Volume | undefined> {
  const boot = await disk.read(0, sectorBytes)
  if (boot.length < sectorBytes || boot.readUInt16LE(510) !== 0xaa55 || ![0xeb, 0xe9].includes(boot[0] ?? 0)) return
  const perSector = boot.readUInt16LE(11)
  const perCluster = boot[13] ?? 0
  const powerOfTwo = (value: number) => value > 0 && (value & (value - 1)) === 0
  if (!powerOfTwo(perSector) || perSector < 512 || perSector > 4096 || !powerOfTwo(perCluster)) return
  const [reserved, fats, rootEntries] = [boot.readUInt16LE(14), boot[16] ?? 0, boot.readUInt16LE(17)]
  const sectors = boot.readUInt16LE(19) || boot.readUInt32LE(32)
  const fatSectors = boot.readUInt16LE(22) || boot.readUInt32LE(36)
  if (reserved === 0 || fats === 0 || fats > 2 || fatSectors === 0) return
  const rootSectors = Math.ceil((rootEntries * entryBytes) / perSector)
  const dataSector = reserved + fats * fatSectors + rootSectors
  const clusters = Math.floor((sectors - dataSector) / perCluster)
  if (clusters < 1) return
  const bits = clusters < 4085 ? 12 : clusters < 65_525 ? 16 : 32
  if ((bits === 32) !== (rootEntries === 0)) return
  const label = boot.toString('latin1', bits === 32 ? 71 : 43, bits === 32 ? 82 : 54).trim()
  return {
    bits,
    clusterBytes: perSector * perCluster,
    clusters,
    fat: { offset: reserved * perSector, length: fatSectors * perSector },
    data: dataSector * perSector,
    root:
      bits === 32
        ? boot.readUInt32LE(44)
        : { offset: (reserved + fats * fatSectors) * perSector, length: rootSectors * perSector },
    label,
  }
}

/** The file `name` in the root folder, whatever its letters' case. Throws where the file system contradicts itself. */
export async function findFile(disk: Disk, name: string): Promise<FatFile | undefined> {
  const volume = await openFat(disk)
  if (!volume) return undefined
  const root = typeof volume.root === 'number' ? await chain(disk, volume, volume.root, mostRootBytes) : [volume.root]
  let [label, longName, found] = [volume.label, '', undefined as { cluster: number; bytes: number } | undefined]
  for (const extent of root) {
    const folder = await disk.read(extent.offset, extent.length)
    for (let at = 0; at + entryBytes <= folder.length; at += entryBytes) {
      const entry = folder.subarray(at, at + entryBytes)
      const [first, attributes] = [entry[0] ?? 0, entry[11] ?? 0]
      if (first === 0) return finish()
      if (first === 0xe5) longName = ''
      else if ((attributes & isLongName) === isLongName)
        longName = longPart(entry) + ((first & 0x40) !== 0 ? '' : longName)
      else {
        const names = [shortName(entry), longName].map((one) => one.toLowerCase())
        longName = ''
        if ((attributes & isVolumeLabel) !== 0) label = entry.toString('latin1', 0, 11).trim()
        else if ((attributes & isFolder) === 0 && names.includes(name.toLowerCase()))
          found = { cluster: (entry.readUInt16LE(20) << 16) | entry.readUInt16LE(26), bytes: entry.readUInt32LE(28) }
      }
    }
  }
  return finish()

  async function finish(): Promise<FatFile | undefined> {
    if (!found) return undefined
    if (found.bytes > mostFileBytes) throw new Error(`it has ${found.bytes} bytes`)
    const { cluster, bytes } = found
    let left = bytes
    const extents = (bytes === 0 ? [] : await chain(disk, volume as Volume, cluster, bytes)).map(
      ({ offset, length }) => {
        const used = Math.min(length, left)
        left -= used
        return { offset, length: used }
      },
    )
    if (left > 0) throw new Error('it ends before its length')
    return { label, bytes, extents }
  }
}

export async function readExtents(disk: Disk, extents: readonly Extent[]): Promise<Buffer> {
  return Buffer.concat(await Promise.all(extents.map(({ offset, length }) => disk.read(offset, length))))
}

/** Writes over the same bytes of the disk that held the file: nothing of what it said is left in free space. */
export async function overwriteExtents(disk: Disk, extents: readonly Extent[], bytes: Uint8Array): Promise<void> {
  let at = 0
  for (const { offset, length } of extents) {
    await disk.write(offset, bytes.subarray(at, at + length))
    at += length
  }
}

/** Clusters one after the other from `first`, as much as `bytes` need at most. */
async function chain(disk: Disk, volume: Volume, first: number, bytes: number): Promise<Extent[]> {
  const extents: Extent[] = []
  const most = Math.ceil(bytes / volume.clusterBytes)
  let cluster = first
  while (extents.length < most) {
    if (cluster < 2 || cluster >= volume.clusters + 2)
      throw new Error(`its cluster ${cluster} is outside the file system`)
    extents.push({ offset: volume.data + (cluster - 2) * volume.clusterBytes, length: volume.clusterBytes })
    const next = await entryOf(disk, volume, cluster)
    if (next === undefined) break
    cluster = next
  }
  return extents
}

/** The cluster after `cluster`; undefined at the end. */
async function entryOf(disk: Disk, { bits, fat }: Volume, cluster: number): Promise<number | undefined> {
  const at = Math.floor((cluster * bits) / 8)
  const cell = await disk.read(fat.offset + at, 4)
  if (cell.length < 4 || at + Math.ceil(bits / 8) > fat.length) throw new Error('its table is cut off')
  if (bits === 32) return orEnd(cell.readUInt32LE(0) & 0x0fffffff, 0x0ffffff7)
  const value = cell.readUInt16LE(0)
  if (bits === 16) return orEnd(value, 0xfff7)
  return orEnd((cluster & 1) === 1 ? value >> 4 : value & 0xfff, 0xff7)
}

const orEnd = (value: number, bad: number): number | undefined => (value >= bad ? undefined : value)

function shortName(entry: Buffer): string {
  const stem = entry.toString('latin1', 0, 8).trimEnd()
  const extension = entry.toString('latin1', 8, 11).trimEnd()
  return extension === '' ? stem : `${stem}.${extension}`
}

/** Thirteen UTF-16 units of a long name, in three places. */
function longPart(entry: Buffer): string {
  const text = [entry.subarray(1, 11), entry.subarray(14, 26), entry.subarray(28, 32)]
    .map((part) => part.toString('utf16le'))
    .join('')
  return text.split('\0')[0] ?? ''
}

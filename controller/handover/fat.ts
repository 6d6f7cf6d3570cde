/** Label of the FAT file system that begins with `boot`, its first sector; undefined where it is none (ECMA-107, "Boot sector"). */
export function fatLabel(boot: Buffer): string | undefined {
  if (boot.length < 512 || boot.readUInt16LE(510) !== 0xaa55) return undefined
  // FAT12 and FAT16 have it where FAT32 has the number of sectors of its table.
  if (boot.toString('latin1', 82, 87) === 'FAT32') return textAt(boot, 71)
  return /^FAT1[26]/.test(boot.toString('latin1', 54, 59)) ? textAt(boot, 43) : undefined
}

const textAt = (boot: Buffer, at: number) => boot.toString('latin1', at, at + 11).trimEnd()

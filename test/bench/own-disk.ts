import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { wordsOf } from '../../shared/errors.ts'
import type { CleanUp } from './clean-up.ts'

const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' }).trim()
const sectorBytes = 512

/**
 * An ext4 disk of its own (a file behind a loop device), so that what is written to it can be told from all else on this
 * machine: everything that a card would be given, journal and metadata included.
 */
export function makeOwnDisk(cleanUp: CleanUp, megabytes: number): { folder: string; written(): number } {
  const place = mkdtempSync(join(tmpdir(), 'marshlight-bench-disk-'))
  cleanUp.add(() => rmSync(place, { recursive: true, force: true }))
  const [file, folder] = [join(place, 'disk.img'), join(place, 'mounted')]
  writeFileSync(file, '')
  truncateSync(file, megabytes * 1_048_576)
  mkdirSync(folder)
  try {
    run('mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', file)
    const device = run('losetup', '--find', '--show', file)
    cleanUp.add(() => run('losetup', '--detach', device))
    // As an appliance mounts its data (provisioning/image/files/fstab).
    run('mount', '-o', 'noatime,lazytime,nosuid,nodev,commit=60', device, folder)
    cleanUp.add(() => run('umount', folder))
    return {
      folder,
      written() {
        run('sync', '--file-system', folder)
        const fields = readFileSync(`/sys/block/${basename(device)}/stat`, 'utf8')
          .trim()
          .split(/\s+/)
        return Number(fields[6]) * sectorBytes
      },
    }
  } catch (error) {
    throw new Error(`this machine gives no loop device to measure on: ${wordsOf(error)}`)
  }
}

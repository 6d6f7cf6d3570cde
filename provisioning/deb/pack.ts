import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { clearLeft, makeWork } from '../../shared/work-folder.ts'
import { command } from '../build/command.ts'
import type { Architecture } from './architectures.ts'
import type { Entry } from './contents.ts'
import { stage } from './stage.ts'

/** `none` is quick, for tests; every dpkg reads xz. */
export type Compression = 'xz' | 'none'

export type PackOptions = {
  entries: readonly Entry[]
  version: string
  architecture: Architecture
  /** The time all its files bear, in seconds. */
  epoch: number
  compression: Compression
}

/** Makes the package `file`, whole or not at all. dpkg-deb sorts the names by itself; all else that could differ is given. */
export async function pack(file: string, o: PackOptions): Promise<void> {
  // Beside the result: /tmp may be small and on another disk.
  await clearLeft(dirname(file), '.deb')
  const folder = await makeWork(dirname(file), '.deb')
  try {
    const root = join(folder, 'root')
    await stage(root, o)
    // xz cuts the archive into blocks where it has several threads: one core or many, the bytes are the same.
    const how = ['--root-owner-group', `-Z${o.compression}`, '--threads-max=1']
    await command('dpkg-deb', [...how, '--build', root, join(folder, 'made.deb')], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(o.epoch), LC_ALL: 'C' },
      next: 'Install dpkg where it is missing; free some space where the disk is full.',
    })
    await rename(join(folder, 'made.deb'), file)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

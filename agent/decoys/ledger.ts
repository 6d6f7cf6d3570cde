import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { readIfThere, writeFileAtomic } from '../../shared/files.ts'
import { id } from '../../shared/schemas/common.ts'
import { type Entry, entry } from './entry.ts'

/** The entries of all decoys, one file each (`<folder>/<decoy>/entry.json`), so that a change writes one small file. */
export type Ledger = {
  /** Reads all there are. Damaged ones are set aside and told. */
  open(onDamage: (error: MarshlightError) => void): Promise<void>
  get(decoy: string): Entry | undefined
  all(): Entry[]
  /** Takes effect at once; resolves when durable. */
  put(next: Entry): Promise<void>
  /** Forgets the decoy and removes its folder. */
  drop(decoy: string): Promise<void>
}

export function makeLedger(folder: string): Ledger {
  const entries = new Map<string, Entry>()
  /** Writes of one decoy follow each other, so that an older one never lands last. */
  const writes = new Map<string, Promise<void>>()
  const pathOf = (decoy: string) => join(folder, decoy, 'entry.json')

  const queued = (decoy: string, work: () => Promise<void>): Promise<void> => {
    const next = (writes.get(decoy) ?? Promise.resolve()).catch(() => undefined).then(work)
    writes.set(decoy, next)
    const settle = () => {
      if (writes.get(decoy) === next) writes.delete(decoy)
    }
    next.then(settle, settle)
    return next
  }

  async function read(decoy: string, onDamage: (error: MarshlightError) => void): Promise<void> {
    const path = pathOf(decoy)
    try {
      const text = await readIfThere(path)
      if (text !== undefined) entries.set(decoy, entry.parse(JSON.parse(text)))
    } catch (error) {
      const aside = `${path}.damaged`
      await rename(path, aside)
      onDamage(new MarshlightError('STATE_CORRUPT', { path, why: wordsOf(error).slice(0, 200), aside }))
    }
  }

  return {
    open: async (onDamage) => {
      await mkdir(folder, { recursive: true, mode: 0o755 })
      for (const name of await readdir(folder)) if (id.safeParse(name).success) await read(name, onDamage)
    },
    get: (decoy) => entries.get(decoy),
    all: () => [...entries.values()],
    put: (next) => {
      if (entries.get(next.decoy) === next) return Promise.resolve()
      entries.set(next.decoy, next)
      return queued(next.decoy, () => writeFileAtomic(pathOf(next.decoy), JSON.stringify(next)))
    },
    drop: (decoy) => {
      entries.delete(decoy)
      return queued(decoy, () => rm(join(folder, decoy), { recursive: true, force: true }))
    },
  }
}

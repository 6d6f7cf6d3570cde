import { constants, type FSWatcher, watch } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { untrusted, utc } from '../../shared/schemas/common.ts'
import type { Status } from './current.ts'

/** What a service writes comes from where attackers are: bounded and validated. */
const statusFile = z.object({
  personaId: untrusted(64),
  personaVersion: z.int().min(1),
  revision: z.int().min(0),
  readyAt: utc.nullish(),
  error: untrusted(4096).optional(),
})
const maxBytes = 65_536

/** The status in `out/status.json`, or undefined where there is none that can be read. */
export async function readStatus(out: string): Promise<Status | undefined> {
  try {
    // Neither a link nor a pipe that a service put there may lead or hold the agent.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    const file = await open(join(out, 'status.json'), flags)
    try {
      const stats = await file.stat()
      const { size, mtimeMs } = stats
      if (!stats.isFile() || size > maxBytes) return undefined
      const { readyAt, error, ...told } = statusFile.parse(JSON.parse(await file.readFile('utf8')))
      return { ...told, ready: readyAt != null, writtenAt: mtimeMs, ...(error && { error: error.slice(0, 512) }) }
    } finally {
      await file.close()
    }
  } catch {
    return undefined
  }
}

/** Rings when a service rewrites its status. Folders that are not there yet are tried again at the next call. */
export function makeStatusWatch(ring: () => void) {
  const watchers = new Map<string, FSWatcher>()
  const close = (out: string) => {
    watchers.get(out)?.close()
    watchers.delete(out)
  }
  return {
    follow(outs: readonly string[]): void {
      for (const out of watchers.keys()) if (!outs.includes(out)) close(out)
      for (const out of outs) if (!watchers.has(out)) begin(out)
    },
    stop(): void {
      for (const out of [...watchers.keys()]) close(out)
    },
  }

  function begin(out: string): void {
    try {
      const watcher = watch(out, (_, name) => {
        if (name === 'status.json') ring()
      })
      watcher.on('error', () => close(out))
      watchers.set(out, watcher)
    } catch {
      // Not there yet, or no watches left: then it is found by the regular look.
    }
  }
}

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../shared/log.ts'
import type { Engine } from '../engine/port.ts'

/**
 * Images that came as files (an appliance without a registry). Each archive is loaded at most once for each version of
 * the file, and only when an image is missing.
 */
export function makeImageArchives(deps: { engine: Engine; folder: string | undefined; log: Log }) {
  const { engine, folder, log } = deps
  const loaded = new Set<string>()
  let loading: Promise<void> | undefined

  async function loadNew(at: string): Promise<void> {
    const names = (await readdir(at).catch(() => [])).filter((name) => name.endsWith('.tar')).sort()
    for (const name of names) {
      const path = join(at, name)
      const { mtimeMs, size } = await stat(path)
      const mark = `${path} ${mtimeMs} ${size}`
      if (loaded.has(mark)) continue
      log.info({ path, megabytes: Math.round(size / 1_048_576) }, 'loading images from a file')
      await engine.loadImage(path)
      loaded.add(mark)
    }
  }

  return {
    /** Whether the image is here now, after loading what is new in the folder. */
    async bring(image: string): Promise<boolean> {
      if (folder === undefined) return false
      loading ??= loadNew(folder).finally(() => {
        loading = undefined
      })
      await loading
      return engine.hasImage(image)
    },
  }
}

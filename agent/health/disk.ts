import { statfs } from 'node:fs/promises'
import type { Probe } from './probe.ts'

const fullPercent = 90

/** Space on the file system of `path`, as an unprivileged process may use it. */
export const makeDiskProbe = (path: string): Probe => ({
  name: 'disk',
  async measure() {
    const { blocks, bfree, bavail, bsize } = await statfs(path)
    const used = 100 * (1 - bavail / Math.max(1, blocks - bfree + bavail))
    const freeMb = Math.round((bavail * bsize) / 2 ** 20)
    return {
      ok: used < fullPercent,
      detail: `${used.toFixed(0)} % in use, ${freeMb} MB free`,
      finding: { diskUsedPercent: Math.round(used * 10) / 10, diskFreeMb: freeMb },
    }
  },
})

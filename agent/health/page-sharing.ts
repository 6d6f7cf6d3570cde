import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { wordsOf } from '../../shared/errors.ts'
import type { Probe } from './probe.ts'

/** Documentation/admin-guide/mm/ksm.rst of Linux. */
const kernelFolder = '/sys/kernel/mm/ksm'
/** 20,000 pages a second: an appliance of a hundred decoys is looked through in a minute, for some percent of a core. */
const pace = { pages_to_scan: '1000', sleep_millisecs: '50' }

/**
 * Whether the kernel keeps one copy of what decoys have in common, and how much that saves. Where that stands still it
 * is set going; an administrator's own pace is left as it is. Without it decoys work as well, and take far more memory.
 */
export const makePageSharingProbe = (folder = kernelFolder): Probe => ({
  name: 'page sharing',
  async measure() {
    const read = async (name: string) => (await readFile(join(folder, name), 'utf8')).trim()
    try {
      if ((await read('run')) !== '1') {
        for (const [name, value] of Object.entries(pace)) await writeFile(join(folder, name), value)
        await writeFile(join(folder, 'run'), '1')
      }
      if ((await read('run')) !== '1') return { ok: false, detail: 'the kernel does not begin with it' }
      const savedMb = (Number(await read('pages_sharing')) * pageBytes) / 2 ** 20
      return { ok: true, detail: `${savedMb.toFixed(0)} MB saved` }
    } catch (error) {
      return { ok: false, detail: `decoys share no pages, and take some 50 MB each: ${wordsOf(error)}` }
    }
  },
})

/** Of all kernels the product runs on; a larger one only makes the figure too small. */
const pageBytes = 4096

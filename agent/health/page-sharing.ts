import { access, constants, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { wordsOf } from '../../shared/errors.ts'
import { readIfThere, writeFileAtomic } from '../../shared/files.ts'
import type { Probe } from './probe.ts'

/** Documentation/admin-guide/mm/ksm.rst of Linux. */
const kernelFolder = '/sys/kernel/mm/ksm'
/** 20,000 pages a second: an appliance of a hundred decoys is looked through in a minute, for some percent of a core. */
const pace = { pages_to_scan: '1000', sleep_millisecs: '50' }
/**
 * From Linux 6.7 on pages that found no equal are passed over for up to eight rounds, each at its own turns: two that become
 * equal later may never be looked at in the same round. Measured here: 1.5 MB of each decoy stay apart.
 */
const smart = 'smart_scan'
const settings = ['pages_to_scan', 'sleep_millisecs', smart, 'run'] as const

/** How the kernel stood before the agent set it going, and since which start of it: what a later start finds is not ours. */
const noteSchema = z.object({ boot: z.string(), before: z.partialRecord(z.enum(settings), z.string().max(32)) })
type Note = z.infer<typeof noteSchema>

/** `kernel` and `bootFile` are the kernel's own but in tests. */
type Places = { stateDir?: string; kernel?: string; bootFile?: string }
const notePath = (stateDir: string) => join(stateDir, 'page-sharing.json')
const word = async (...path: string[]) => (await readFile(join(...path), 'utf8')).trim()
const bootOf = (file = '/proc/sys/kernel/random/boot_id') => word(file)

/**
 * Whether the kernel keeps one copy of what decoys have in common, and how much that saves. Where that stands still it
 * is set going, and noted in `stateDir` so that it can be put back; without `stateDir` it is only looked at. An
 * administrator's own pace is left as it is. Without sharing decoys work as well, and take far more memory.
 */
export const makePageSharingProbe = ({ stateDir, kernel = kernelFolder, bootFile }: Places = {}): Probe => ({
  name: 'page sharing',
  async measure() {
    try {
      if ((await word(kernel, 'run')) !== '1') {
        if (stateDir === undefined) {
          await access(join(kernel, 'run'), constants.W_OK)
          return { ok: true, detail: 'off until an agent with decoys runs' }
        }
        await setGoing(stateDir, kernel, await bootOf(bootFile))
      }
      if ((await word(kernel, 'run')) !== '1') return { ok: false, detail: 'the kernel does not begin with it' }
      const savedMb = (Number(await word(kernel, 'pages_sharing')) * pageBytes) / 2 ** 20
      return { ok: true, detail: `${savedMb.toFixed(0)} MB saved` }
    } catch (error) {
      return { ok: false, detail: `decoys share no pages, and take some 50 MB each: ${wordsOf(error)}` }
    }
  },
})

async function setGoing(stateDir: string, kernel: string, boot: string): Promise<void> {
  const before: Note['before'] = {}
  for (const name of settings) {
    const found = (await readIfThere(join(kernel, name)))?.trim()
    if (found !== undefined) before[name] = found
  }
  // The first note of a start counts: a second time it is our own pace that stands there.
  if ((await readNote(stateDir))?.boot !== boot)
    await writeFileAtomic(notePath(stateDir), JSON.stringify({ boot, before } satisfies Note))
  const wanted = { ...pace, ...(before[smart] !== undefined && { [smart]: '0' }), run: '1' }
  for (const [name, value] of Object.entries(wanted)) await writeFile(join(kernel, name), value)
}

/** Whether the agent set page sharing going, and the kernel was not started anew since. */
export async function pageSharingIsOurs({ stateDir, bootFile }: Places & { stateDir: string }): Promise<boolean> {
  const note = await readNote(stateDir)
  return note !== undefined && note.boot === (await bootOf(bootFile))
}

/** Puts the kernel back to how it stood before the agent set it going. */
export async function putPageSharingBack(places: Places & { stateDir: string }): Promise<void> {
  const { stateDir, kernel = kernelFolder } = places
  const note = await readNote(stateDir)
  if (note !== undefined && (await pageSharingIsOurs(places)))
    for (const [name, value] of Object.entries(note.before)) await writeFile(join(kernel, name), value)
  await rm(notePath(stateDir), { force: true })
}

async function readNote(stateDir: string): Promise<Note | undefined> {
  const text = await readIfThere(notePath(stateDir))
  if (text === undefined) return undefined
  try {
    return noteSchema.parse(JSON.parse(text))
  } catch {
    // A note that cannot be read is none: nothing is put back by guess.
    return undefined
  }
}

/** Of all kernels the product runs on; a larger one only makes the figure too small. */
const pageBytes = 4096

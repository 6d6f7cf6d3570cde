import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { writeFileAtomic } from '../../shared/files.ts'
import type { Log } from '../../shared/log.ts'
import type { Spool } from '../spool/port.ts'
import { partsOf, sendFile } from '../spool/send-file.ts'
import { type TarFile, tarOf } from './tar.ts'

/** One file of the bundle. What it throws stands in its place: a bundle of a sick box is what it is for. */
export type Section = { name: string; make(): Promise<unknown> }

export type BundleDeps = {
  agent: string
  /** Folder of its own: the archive stands here while it is sent. */
  folder: string
  sections: readonly Section[]
  /** A redactor that knows the secrets of now. */
  redactor(): Promise<(text: string) => string>
  spool: Pick<Spool, 'append' | 'standing'>
  clock: Clock
  log: Log
  signal: AbortSignal
}
export type MadeBundle = { sha256: string; bytes: number; parts: number; files: string[] }

const sectionBytes = 1_048_576
const sectionWithinMs = 60_000
const giveUpMs = 10 * 60_000

/**
 * What somebody who helps from afar needs, as one archive, one at a time:
 *
 *   sections, side by side, each bounded -> secrets out -> archive, a file -> answer (hash, size) -> parts -> the file goes
 */
export function makeBundle(deps: BundleDeps) {
  const { clock, log } = deps
  const path = join(deps.folder, 'support-bundle.tar.gz')
  let busy = false
  let sending: Promise<void> = Promise.resolve()

  async function collect(): Promise<TarFile[]> {
    const clean = await deps.redactor()
    const made = await Promise.all(
      deps.sections.map(async ({ name, make }) => ({ name, text: await textOf(make, clean) })),
    )
    const about = { madeAt: isoNow(clock), agent: deps.agent, files: made.map(({ name }) => name) }
    return [{ name: 'about.json', text: asJson(about) }, ...made].map((file) => ({
      ...file,
      name: `marshlight-support/${file.name}`,
    }))
  }

  async function send(of: { sha256: string; bytes: number }): Promise<void> {
    try {
      const until = AbortSignal.any([deps.signal, AbortSignal.timeout(giveUpMs)])
      await sendFile(deps, path, { decoy: deps.agent, kind: 'support', ...of }, until)
    } catch (error) {
      log.warn({ sha256: of.sha256, why: wordsOf(error) }, 'a support bundle was not sent whole')
    } finally {
      await rm(path, { force: true })
      busy = false
    }
  }

  return {
    /** Throws CONFLICT while another is on its way. */
    async make(): Promise<MadeBundle> {
      if (busy)
        throw new MarshlightError('CONFLICT', {
          what: 'another support bundle is on its way from this box',
          next: 'Ask again when it has come.',
        })
      busy = true
      try {
        const files = await collect()
        const archive = await tarOf(files, clock.now() / 1000)
        await writeFileAtomic(path, archive, 0o600)
        const sha256 = createHash('sha256').update(archive).digest('hex')
        sending = send({ sha256, bytes: archive.length })
        const { length: bytes } = archive
        return { sha256, bytes, parts: partsOf(bytes), files: files.map(({ name }) => name) }
      } catch (error) {
        busy = false
        throw error
      }
    },
    /** One that an earlier run of the agent left behind. */
    discard: () => rm(path, { force: true }),
    settled: () => sending,
  }
}

/** Cut only when it is clean: half of a secret is not known for one. */
async function textOf(make: Section['make'], clean: (text: string) => string): Promise<string> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${sectionWithinMs / 1000} s`)), sectionWithinMs)
  })
  try {
    const value = await Promise.race([make(), late])
    const text = clean(typeof value === 'string' ? value : asJson(value))
    return text.length > sectionBytes ? `${text.slice(0, sectionBytes)}\n… cut at ${sectionBytes} characters\n` : text
  } catch (error) {
    return `not to be had: ${clean(wordsOf(error))}\n`
  } finally {
    clearTimeout(timer)
  }
}

const asJson = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

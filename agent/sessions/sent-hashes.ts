import { appendFile, mkdir, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { readIfThere, writeFileAtomic } from '../../shared/files.ts'

/**
 * Which blobs this agent has sent, so that a file that a thousand attackers bring goes up once. One line each, appended;
 * the oldest are forgotten. Losing it costs no more than sending some again, so it is not worth a write to the card each.
 */
export type SentHashes = {
  open(): Promise<void>
  has(mark: string): boolean
  add(mark: string): Promise<void>
}

const line = /^(tty|capture) [0-9a-f]{64}$/

export function makeSentHashes(path: string, most = 50_000): SentHashes {
  let sent = new Set<string>()
  return {
    async open() {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const text = await readIfThere(path).catch(async () => {
        await rename(path, `${path}.damaged`)
        return undefined
      })
      // A line that a crash cut short names nothing.
      sent = new Set((text ?? '').split('\n').filter((mark) => line.test(mark)))
    },
    has: (mark) => sent.has(mark),
    async add(mark) {
      sent.add(mark)
      if (sent.size <= most) return appendFile(path, `\n${mark}\n`)
      sent = new Set([...sent].slice(-Math.ceil(most / 2)))
      await writeFileAtomic(path, `${[...sent].join('\n')}\n`)
    },
  }
}

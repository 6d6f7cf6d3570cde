import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** One line for a shell, and where it comes from. `errors`: what it says on standard error counts as well. */
export type Line = { text: string; group: string; errors?: true }

const folder = join(import.meta.dirname, 'corpus')

/** In the order they are run in: what a line leaves behind, the next ones find. */
export async function readCorpus(): Promise<Line[]> {
  const typed = await linesOf('sessions.txt')
  const drawn = await Promise.all(
    ['nl2bash', 'atomic'].map(async (group) => drawnOf(group, await linesOf(`${group}.txt`))),
  )
  const samples = (await readFile(join(folder, 'samples.sh'), 'utf8')).trim()
  return [...grouped(typed), { text: samples, group: 'nl2bash' }, ...drawn.flat()]
}

/** What intruders of small devices and their owners type; devices are told apart by how they refuse. */
export const readDeviceCorpus = async (): Promise<Line[]> =>
  grouped(await linesOf('busybox.txt')).map((line) => ({ ...line, errors: true }))

/** About this share of the lines, the same ones at every run; what lays out files for others is always among them. */
export function sampled(lines: readonly Line[], share: number, seed: string): Line[] {
  const drawn = ({ text }: Line) => createHash('sha256').update(`${seed} ${text}`).digest().readUInt32BE() / 2 ** 32
  return lines.filter((line) => line.text.includes('\n') || drawn(line) < share)
}

const linesOf = async (name: string) => (await readFile(join(folder, name), 'utf8')).split('\n').filter(Boolean)

const drawnOf = (group: string, lines: readonly string[]): Line[] =>
  lines.map((line) => ({ group, text: group === 'nl2bash' ? `cd /tmp/samples; ${line}` : line }))

/** `## name` opens a group. */
function grouped(lines: readonly string[]): Line[] {
  let group = ''
  return lines.flatMap((text) => {
    if (!text.startsWith('## ')) return [{ text, group }]
    group = text.slice(3)
    return []
  })
}

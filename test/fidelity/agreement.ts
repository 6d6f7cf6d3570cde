import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Line } from './corpus.ts'
import { normalised } from './normal.ts'

/** What one host said to one line. `status` is null where it gave none in time. */
export type Answer = { status: number | null; out: string; err: string }

export type Verdict = { line: Line; equal: boolean; real: Answer; other: Answer }

export type Target = { address: string; user: string; password: string }

/** Types each line, on a channel of its own over one SSH connection, from `attacker` (a container). */
export async function answersOf(attacker: string, target: Target, lines: readonly Line[]): Promise<Answer[]> {
  const script = await readFile(join(import.meta.dirname, 'ssh_runner.py'), 'utf8')
  const args = ['exec', '-i', attacker, 'python3', '-c', script, target.address, target.user, target.password]
  const child = spawn('docker', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  const answers: Answer[] = []
  for (const { text } of lines) child.stdin.write(`${JSON.stringify({ line: text })}\n`)
  child.stdin.end()
  for await (const row of createInterface({ input: child.stdout })) {
    const told = JSON.parse(row) as { status: number | null; out: string; err: string }
    const text = (data: string) => Buffer.from(data, 'base64').toString('latin1')
    answers.push({ status: told.status, out: text(told.out), err: text(told.err) })
  }
  await ended
  if (answers.length !== lines.length) throw new Error(`${answers.length} answers to ${lines.length} lines`)
  return answers
}

/** Equal: the same exit status and, but for what normal.ts lists, the same standard output (and error, where it counts). */
export function verdicts(lines: readonly Line[], real: readonly Answer[], other: readonly Answer[]): Verdict[] {
  return lines.map((line, index) => {
    const [a, b] = [real[index], other[index]]
    if (a === undefined || b === undefined) throw new Error(`no answer to ${line.text}`)
    const same = (one: string, another: string) => normalised(line.text, one) === normalised(line.text, another)
    const equal = a.status === b.status && same(a.out, b.out) && (!line.errors || same(a.err, b.err))
    return { line, equal, real: a, other: b }
  })
}

export const percentOf = (found: readonly Verdict[]) =>
  (100 * found.filter(({ equal }) => equal).length) / Math.max(1, found.length)

/** Commands by how many lines with them disagree, most first. */
export function worst(found: readonly Verdict[]): { command: string; wrong: number; of: number; example: string }[] {
  const by = new Map<string, Verdict[]>()
  for (const verdict of found) {
    for (const command of new Set(commandsOf(verdict.line.text))) by.set(command, [...(by.get(command) ?? []), verdict])
  }
  return [...by]
    .map(([command, all]) => {
      const bad = all.filter(({ equal }) => !equal)
      return { command, wrong: bad.length, of: all.length, example: bad[0]?.line.text.slice(0, 100) ?? '' }
    })
    .filter(({ wrong }) => wrong > 0)
    .sort((a, b) => b.wrong - a.wrong)
}

const commandsOf = (text: string) =>
  [...text.slice(0, 400).matchAll(/(?:^|[|;&(]\s*)([\w./-]+)/g)].map(([, name]) => name?.split('/').at(-1) ?? '')

import { readFile } from 'node:fs/promises'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'

/** What stands in a file (`-`: standard input), as JSON. The controller checks what it says. Throws USAGE. */
export async function planFrom(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file === '-' ? '/dev/stdin' : file, 'utf8'))
  } catch (error) {
    throw new MarshlightError('USAGE', { what: `${file}: ${wordsOf(error)}`, command: 'marshlight sites plan' })
  }
}

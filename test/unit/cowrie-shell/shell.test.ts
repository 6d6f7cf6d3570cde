import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

const run = promisify(execFile)
const folder = import.meta.dirname

// The shell is pure Python: the standard library is all it takes, so its tests run wherever python3 is.
for (const file of (await readdir(folder)).filter((name) => name.endsWith('_test.py'))) {
  t.test(file, async (t) => {
    const { stderr } = await run('python3', [join(folder, file)], { maxBuffer: 1 << 26 }).catch((error) => error)
    t.match(stderr, /\nOK\n$/, stderr)
  })
}

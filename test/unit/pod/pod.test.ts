import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { driftMark } from '../../../shared/drift-mark.ts'
import { decoyDrift } from '../../../shared/schemas/drift.ts'

const run = promisify(execFile)
const folder = import.meta.dirname
const common = join(folder, '../../../images/common')

// Python's own library is all they take.
for (const file of (await readdir(folder)).filter((name) => name.endsWith('_test.py'))) {
  t.test(file, async (t) => {
    const { stderr } = await run('python3', ['-B', join(folder, file)], { maxBuffer: 1 << 26 }).catch((error) => error)
    t.match(stderr, /\nOK\n$/, stderr)
  })
}

t.test('a drift in force has the same mark in the decoy as at the controller', async (t) => {
  const set = decoyDrift.parse({
    everyone: { seed: 'größe "1"', effects: [{ type: 'latency', form: 'jitter', ms: 12.5, spread: 0.25 }] },
    views: [
      {
        source: '198.18.0.9',
        drift: {
          seed: 'v',
          effects: [
            { type: 'error', kind: 'reset', share: 0.1 },
            { type: 'error', kind: 'busy', share: 1e-5 },
            { type: 'error', kind: 'disk', share: 1.5e-7 },
          ],
        },
      },
    ],
  })
  const program = 'import sys; from marshlight_common import drift; print(drift.read(sys.argv[1].encode()).mark)'
  const { stdout } = await run('python3', ['-B', '-c', program, JSON.stringify(set)], { env: { PYTHONPATH: common } })
  t.equal(stdout.trim(), driftMark(set))
})

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Test } from 'tap'

const images = join(import.meta.dirname, '../../images')

/** Runs the Python tests of a folder, `*_test.py`, on the decoy's package, with nothing but Python's own library. */
export function pythonTests(t: Test, folder: string, environment: Record<string, string> = {}): void {
  const run = spawnSync('python3', ['-W', 'error', '-m', 'unittest', 'discover', '-s', folder, '-p', '*_test.py'], {
    env: {
      PATH: process.env.PATH ?? '',
      PYTHONPATH: ['cowrie', 'common'].map((name) => join(images, name)).join(':'),
      PYTHONDONTWRITEBYTECODE: '1',
      ...environment,
    },
    encoding: 'utf8',
  })
  t.equal(run.status, 0, run.stderr)
  t.match(run.stderr, /^Ran [1-9]\d* tests/m, 'and there are some')
}

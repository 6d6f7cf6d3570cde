import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'

const project = join(import.meta.dirname, '../../..')

t.test('the pure parts of the decoy’s drift hold their Python tests', async (t) => {
  const run = spawnSync(
    'python3',
    ['-W', 'error', '-m', 'unittest', 'discover', '-s', import.meta.dirname, '-p', '*_test.py'],
    {
      env: {
        PATH: process.env.PATH ?? '',
        PYTHONPATH: ['cowrie', 'common'].map((name) => join(project, 'images', name)).join(':'),
        PYTHONDONTWRITEBYTECODE: '1',
      },
      encoding: 'utf8',
    },
  )
  t.equal(run.status, 0, run.stderr)
  t.match(run.stderr, /^Ran [1-9]\d* tests/m, 'and there are some')
})

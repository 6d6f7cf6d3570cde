import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { personaOf } from '../../lab/cowrie-persona.ts'
import { richPersona } from './rich-persona.ts'

const project = join(import.meta.dirname, '../../..')

t.test('the pure parts of the decoy’s file system hold their Python tests', async (t) => {
  const personas = t.testdir()
  writeFileSync(join(personas, 'rich.json'), JSON.stringify(richPersona()))
  writeFileSync(join(personas, 'plain.json'), JSON.stringify(personaOf('db01', 1)))
  const scratch = join(personas, 'scratch')
  mkdirSync(scratch, { mode: 0o777 })
  const run = spawnSync(
    'python3',
    ['-W', 'error', '-m', 'unittest', 'discover', '-s', import.meta.dirname, '-p', '*_test.py'],
    {
      env: {
        PATH: process.env.PATH ?? '',
        PYTHONPATH: ['cowrie', 'common'].map((name) => join(project, 'images', name)).join(':'),
        PYTHONDONTWRITEBYTECODE: '1',
        MARSHLIGHT_TEST_PERSONAS: personas,
        MARSHLIGHT_TEST_SCRATCH: scratch,
      },
      encoding: 'utf8',
    },
  )
  t.equal(run.status, 0, run.stderr)
  t.match(run.stderr, /^Ran [1-9]\d* tests/m, 'and there are some')
})

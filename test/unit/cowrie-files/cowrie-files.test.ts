import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { personaOf } from '../../lab/cowrie-persona.ts'
import { pythonTests } from '../python-tests.ts'
import { richPersona } from './rich-persona.ts'

t.test('the pure parts of the decoy’s file system hold their Python tests', async (t) => {
  const personas = t.testdir()
  writeFileSync(join(personas, 'rich.json'), JSON.stringify(richPersona()))
  writeFileSync(join(personas, 'plain.json'), JSON.stringify(personaOf('db01', 1)))
  const scratch = join(personas, 'scratch')
  mkdirSync(scratch, { mode: 0o777 })
  pythonTests(t, import.meta.dirname, { MARSHLIGHT_TEST_PERSONAS: personas, MARSHLIGHT_TEST_SCRATCH: scratch })
})

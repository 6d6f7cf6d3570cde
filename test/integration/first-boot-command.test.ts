import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { readIfThere } from '../../shared/files.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { enrolledBefore } from './enrolment-world.ts'

const main = join(import.meta.dirname, '../../agent/main.ts')

t.test('at a start of an enrolled box the command ends at once, and leaves screen and page to the agent', async (t) => {
  const { states } = await enrolledBefore(t, 0, ['gate-1'])
  const [stateDir = ''] = states
  const screen = join(await tempFolder(t), 'tty')
  await writeFile(screen, '')
  const settings = { nics: ['lo'], console: { screen, page: { minutes: 30, port: 38_080 } } }
  await writeFile(join(stateDir, 'agent.json'), JSON.stringify(settings))
  const { stderr } = await promisify(execFile)(process.execPath, [main, 'first-boot', '--state', stateDir])
  t.match(stderr, /this box belongs to its controller/)
  t.equal(await readIfThere(screen), '', 'nothing was drawn')
})

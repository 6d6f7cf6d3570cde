import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { bundle } from '../../../provisioning/build/bundle.ts'

const run = promisify(execFile)

t.test('a bundle runs with CommonJS inside, and a part that was left out says so only when used', async (t) => {
  const folder = t.testdir({
    'entry.ts': `
      import classic from './classic.cjs'
      console.log(classic.platform)
      try { classic.connect() } catch (error) { console.log(error.message) }`,
    'classic.cjs': `
      const far = require('ssh2')
      exports.platform = require('node:os').platform()
      exports.connect = () => far.Client`,
  })
  const outfile = join(folder, 'out.mjs')
  await bundle({ entry: join(folder, 'entry.ts'), outfile, leaveOutModules: /^ssh2$/ })
  const { stdout } = await run(process.execPath, [outfile])
  t.match(stdout, /^linux\nssh2 is not part of this bundle/)
})

t.test('what the agent takes of systeminformation is there in its bundle, too', async (t) => {
  const folder = t.testdir({
    'entry.ts': `
      import { temperatureProbe } from '${join(import.meta.dirname, '../../../agent/health/temperature.ts')}'
      const { detail } = await temperatureProbe.measure()
      console.log(detail)`,
  })
  const outfile = join(folder, 'out.mjs')
  await bundle({ entry: join(folder, 'entry.ts'), outfile, lean: true })
  const { stdout } = await run(process.execPath, [outfile])
  t.match(stdout, /°C|this machine tells none/)
})

t.test('an entry that does not exist is told by its name', async (t) => {
  const folder = t.testdir({})
  const entry = join(folder, 'absent.ts')
  await t.rejects(bundle({ entry, outfile: join(folder, 'out.mjs') }), { code: 'CONFIG_MISSING', message: /absent/ })
})

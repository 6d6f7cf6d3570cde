import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { goBack, startAgain } from '../../../agent/updates/launcher-files.ts'
import { tempFolder } from '../spool/records.ts'
import { makeBox } from './box.ts'

async function boxWith(t: Parameters<typeof tempFolder>[0], ...versions: string[]) {
  const box = await makeBox(await tempFolder(t))
  for (const version of versions) await box.fillVersion(join(box.versions, version), version)
  const put = (name: string, text: string) => writeFile(join(box.versions, name), `${text}\n`)
  const read = (name: string) => readFile(join(box.versions, name), 'utf8').catch(() => undefined)
  const start = () => {
    const launched = box.start()
    t.teardown(() => launched.cut())
    return launched
  }
  return { ...box, put, read, start }
}

t.test('without anything else the package’s own is started, and its end is the launcher’s', async (t) => {
  const box = await boxWith(t)
  const launched = box.start()
  t.match(await launched.next(), { runs: 'package', version: '1.0.0', trial: undefined })
  await launched.end(3)
  t.same((await launched.exit)[0], 3)
})

t.test('a trial that crashes is started three times, then the package’s own', async (t) => {
  const box = await boxWith(t, '2.0.0')
  await box.put('trial', 'r1 2.0.0 60')
  const launched = box.start()
  for (let i = 0; i < 3; i++) {
    t.match(await launched.next(), { runs: '2.0.0', version: '2.0.0', trial: 'r1' })
    await launched.end(1)
  }
  t.match(await launched.next(), { runs: 'package', trial: undefined })
  t.equal(await box.read('failed'), 'r1 crashed\n')
  t.equal(await box.read('trial'), undefined)
})

t.test('power cuts in a trial count as its starts', async (t) => {
  const box = await boxWith(t, '2.0.0')
  await box.put('trial', 'r1 2.0.0 60')
  for (const runs of ['2.0.0', '2.0.0', '2.0.0', 'package']) {
    const launched = box.start()
    t.match(await launched.next(), { runs })
    await launched.cut()
  }
})

t.test('a trial that hangs is killed at its deadline', async (t) => {
  const box = await boxWith(t, '2.0.0')
  await box.put('trial', 'r1 2.0.0 1')
  const launched = box.start()
  t.match(await launched.next(), { runs: '2.0.0' })
  t.match(await launched.next(), { runs: 'package' })
  t.equal(await box.read('failed'), 'r1 late\n')
})

t.test('a version that was confirmed in time outlives the deadline', async (t) => {
  const box = await boxWith(t, '2.0.0')
  await box.put('trial', 'r1 2.0.0 1')
  const launched = box.start()
  const { base } = await launched.next()
  await box.put('confirmed', `2.0.0 ${base} r1`)
  await rm(join(box.versions, 'trial'))
  // Another trial with a deadline of its own passes meanwhile: the first one's watcher has had its time.
  const other = await boxWith(t, '2.0.0')
  await other.put('trial', 'r2 2.0.0 2')
  const beside = other.start()
  await beside.next()
  t.match(await beside.next(), { runs: 'package' })
  t.equal(launched.launcher.exitCode, null)
  await launched.end(startAgain)
  t.match(await launched.next(), { runs: '2.0.0', trial: undefined })
})

t.test('a trial gives itself up; what is not whole is not started; what was decided is not tried again', async (t) => {
  const box = await boxWith(t, '2.0.0')
  await box.put('trial', 'r1 2.0.0 60')
  const launched = box.start()
  await launched.next()
  await launched.end(goBack)
  t.match(await launched.next(), { runs: 'package' })
  t.equal(await box.read('failed'), 'r1 told\n')

  await box.put('trial', 'r1 2.0.0 60')
  await launched.end(startAgain)
  t.match(await launched.next(), { runs: 'package' }, 'the cut came between the verdict and the end of the trial')
  t.equal(await box.read('trial'), undefined)

  for (const name of ['3.0.0', '../2.0.0', '', '.']) {
    await box.put('trial', `r-${name.length} ${name} 60`)
    await launched.end(startAgain)
    t.match(await launched.next(), { runs: 'package' }, `not ${JSON.stringify(name)}`)
  }
})

t.test(
  'a confirmed version that never comes to run well makes way for the one before, and for the package’s',
  async (t) => {
    const box = await boxWith(t, '2.0.0', '3.0.0')
    const first = box.start()
    const { base } = await first.next()
    await first.cut()
    await rm(join(box.versions, 'starts'))
    await box.put('confirmed', `3.0.0 ${base} r3`)
    await box.put('previous', `2.0.0 ${base}`)
    const runs: string[] = []
    for (let i = 0; i < 16; i++) {
      const launched = box.start()
      runs.push((await launched.next()).runs)
      await launched.cut()
    }
    const five = (name: string) => Array.from({ length: 5 }, () => name)
    t.strictSame(runs, [...five('3.0.0'), ...five('2.0.0'), ...five('package'), '3.0.0'])
    await rm(join(box.versions, '3.0.0/agent.mjs'))
    await rm(join(box.versions, 'starts'))
    const launched = box.start()
    t.match(await launched.next(), { runs: '2.0.0' }, 'what is not whole is passed over')
  },
)

t.test('another package than the one a version was confirmed on wins over it', async (t) => {
  const box = await boxWith(t, '2.0.0')
  const first = box.start()
  const { base } = await first.next()
  await box.put('confirmed', `2.0.0 ${base} r2`)
  await first.end(startAgain)
  t.match(await first.next(), { runs: '2.0.0' })
  await first.cut()
  await writeFile(join(box.home, 'agent.mjs'), '// agent 5.0.0\n')
  const launched = box.start()
  t.match(await launched.next(), { runs: 'package', version: '5.0.0' })
})

t.test('files of any content never keep it from starting something', async (t) => {
  const box = await boxWith(t, '2.0.0')
  const words = [
    '',
    '\0',
    '*',
    'r1',
    'r1 2.0.0',
    'r1 2.0.0 x',
    `${'9'.repeat(600)} a b`,
    '$(reboot) `reboot` ;',
    '-n -e',
  ]
  for (const text of words) {
    for (const name of ['trial', 'confirmed', 'previous', 'tries', 'failed', 'starts'])
      await writeFile(join(box.versions, name), text)
    const launched = box.start()
    t.match(await launched.next(), { runs: 'package' }, JSON.stringify(text.slice(0, 20)))
    await launched.cut()
  }
  await rm(box.versions, { recursive: true })
  await mkdir(join(box.versions, 'trial'), { recursive: true })
  const launched = box.start()
  t.match(await launched.next(), { runs: 'package' }, 'a folder where a file should be')
  t.ok((await readdir(box.versions)).includes('trial'))
})

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdir, truncate } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { socketPath } from '../../agent/cli/status-socket.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { makeTestPki } from './agent-test-pki.ts'
import { makeUpdateWorld } from './update-world.ts'

const pki = await makeTestPki()

t.test('real processes: a good version is taken, a broken one is left by itself, the box goes on', async (t) => {
  const scope = { folder: await tempFolder(t), after: (work: () => Promise<void> | void) => t.teardown(work) }
  const world = await makeUpdateWorld(scope, pki)
  const { controller } = world
  const launcher = world.start()
  t.teardown(() => {
    if (!t.passing()) console.error(launcher.log())
  })
  await controller.until('the first hello', () => world.hellos().length === 1)
  t.match(world.hellos()[0], { running: { agent: '0.1.0' } })

  const good = world.desired(await world.makeRelease({ version: '1.0.0' }))
  await world.order(good)
  t.match(await world.over(good.rollout), { phase: 'confirmed', running: { agent: '1.0.0' } })
  const phases = [...new Set(world.states(good.rollout).map(({ phase }) => phase))]
  t.strictSame(phases, ['fetching', 'fetched', 'installing', 'trial', 'confirmed'])
  t.match(world.hellos().at(-1), { version: '1.0.0' })
  t.match(await world.command('--version'), { out: '1.0.0\n' }, 'other commands are of what is confirmed')

  const bad = world.desired(await world.makeRelease({ version: '1.1.0', breaks: 'at start' }))
  await world.order(bad)
  t.match(await world.over(bad.rollout), {
    phase: 'rolled-back',
    code: 'UPDATE_CRASHED',
    running: { agent: '1.0.0' },
  })
  t.match(JSON.parse((await world.command('status', '--json')).out), {
    version: '1.0.0',
    updates: { launcher: true, update: { version: '1.1.0', phase: 'rolled-back' } },
  })
  const before = world.releases.asked.length
  await world.order({ ...bad, bytesPerSecond: 100_000 })
  const unsigned = world.desired({ ...(await world.makeRelease({ version: '1.2.0' })), signature: bad.signature })
  await world.order(unsigned)
  t.match(await world.over(unsigned.rollout), { phase: 'refused', code: 'RELEASE_UNSIGNED' })
  t.equal(
    world.releases.asked.length,
    before,
    'a rollout that went back is not tried again, and what is not signed not fetched',
  )
  t.strictSame(
    (await readdir(join(world.stateDir, 'versions'), { withFileTypes: true }))
      .filter((one) => one.isDirectory())
      .map(({ name }) => name),
    ['1.0.0'],
  )

  const stick = await world.makeRelease({ version: '1.3.0' })
  const tar = join(scope.folder, 'release-1.3.0.tar')
  execFileSync('tar', ['-cf', tar, '-C', join(stick.folder, '..'), '1.3.0'])
  const taken = await world.command('update', '--from', tar, '--json')
  t.match(taken, { code: 0 })
  t.match(JSON.parse(taken.out), { version: '1.3.0', phase: 'confirmed' })
  t.equal(world.releases.asked.length, before, 'not a byte of it came over the line')
  const older = await world.command('update', '--from', join(stick.folder, '../1.0.0'))
  t.match(older, { code: 1, out: /^1\.0\.0: refused: .*below/ })
  const leftIn = () => world.command('update', '--once', '--from', join(stick.folder, '../1.0.0'))
  const [refused, again] = [await leftIn(), await leftIn()]
  t.match(refused, { code: 1, out: /^1\.0\.0: refused: .*below/ })
  t.equal(again.out, refused.out, 'a stick that is left in is told the same')
  t.equal(again.err, '', 'and nothing is copied from it again')
  await truncate(join(stick.folder, 'agent-1.3.0.tar'), 1000)
  t.match(await world.command('update', '--from', stick.folder), {
    code: 1,
    err: /1000 of the \d+ bytes .*UPDATE_ALTERED/,
  })
  t.match(world.hellos().at(-1), { version: '1.3.0', running: { agent: '1.3.0' } })

  const exit = once(launcher, 'exit')
  launcher.kill('SIGTERM')
  t.strictSame(await exit, [0, null])
  t.strictSame(controller.faults, [])
  const alone = await world.command('update', '--from', join(stick.folder, '../1.0.0'))
  t.match(alone, { code: 1, out: '', err: /below .*UPDATE_OLDER/ }, 'an agent that is stopped is no reason to keep it')

  // As an agent is whose box has only just started.
  const slow = createServer(() => undefined).listen(socketPath(world.stateDir))
  t.teardown(() => slow.close())
  await once(slow, 'listening')
  const status = await world.command('status')
  t.match(status, { code: 1, err: /an answer of the agent took longer than 3 s[\s\S]*ask again/ })
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { driftScoreRoutes } from '../../../controller/api/routes/drift-scores.ts'
import { driftCommand } from '../../../controller/cli/commands/drift.ts'
import { driftScoresCommand } from '../../../controller/cli/commands/drift-scores.ts'
import { makeBus } from '../../../controller/work/bus.ts'
import { silentLog } from '../../../shared/log.ts'
import { seededRandom } from '../../../shared/random.ts'
import { calm, drawProfile } from '../../drift/simulated-profiles.ts'
import { commandLine } from '../segments/api-world.ts'
import { makeWorld } from './world.ts'

t.test('what moved is listed and explained within 80 columns, and nothing is lost of it', async (t) => {
  const world = await makeWorld(`${t.testdir()}/db.sqlite`, 3)
  t.teardown(() => world.close())
  const dataDir = mkdtempSync(join(tmpdir(), 'marshlight-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const { clock, config } = world
  const random = seededRandom('command line')
  const deps = { config, dataDir, store: world.store(), bus: makeBus(), clock, random, log: silentLog }
  const requests = { send: async () => ({ id: world.agent, at: world.at(), ok: true }) }
  const given = { routes: [driftScoreRoutes], commands: [driftCommand, driftScoresCommand] }
  const { run } = await commandLine(t, dataDir, given, { ...deps, requests })
  t.match(await run('drift', 'scores'), /No scores yet/)
  t.match(await run('drift', 'explain', 'web-1'), /was not looked at yet/)
  const profileOf = (delayMs: number) => (decoy: number, i: number) =>
    world.window(
      decoy,
      drawProfile(decoy === 1 ? { ...calm, delayMs } : calm, 20, seededRandom(`${decoy}/${i}/${world.at()}`)),
    )
  await world.pass(240, profileOf(calm.delayMs))
  await world.look()
  await world.pass(60, profileOf(3 * calm.delayMs))
  await world.look()
  const fits = async (...words: string[]) => {
    const text = await run('drift', ...words)
    for (const line of text.split('\n')) t.ok([...line].length <= 80, line)
    return text
  }
  t.match(await fits('scores'), /web-1 .*response.delay.*interference/)
  t.match(await fits('scores', '--plain', '--decoy', 'web-1'), /PLAIN/)
  const explained = await fits('explain', 'web-1')
  t.match(explained, /cause +interference[\s\S]*response\.delay +80 +\d+ .*expected/)
  if (process.env.SHOW) process.stderr.write(`${await fits('scores')}\n${explained}`)
  t.match(JSON.parse(await run('drift', 'explain', 'web-1', '--json')), {
    hostname: 'web-1',
    items: [{ cause: 'interference', findings: [{ feature: 'response.delay', significant: true }] }],
  })
  await t.rejects(run('drift', 'explain', 'nobody'), /nobody/)
})

import t from 'tap'
import { baselineRoutes } from '../../../controller/api/routes/baselines.ts'
import { segmentRoutes } from '../../../controller/api/routes/segments.ts'
import {
  apartTables,
  baselineTables,
  forgottenNetworks,
  forgottenTables,
  makeBaselineProjector,
} from '../../../controller/baselines/index.ts'
import { baselinesCommand } from '../../../controller/cli/commands/baselines.ts'
import { segmentsCommand } from '../../../controller/cli/commands/segments.ts'
import { segmentsWatchCommand } from '../../../controller/cli/commands/segments-watch.ts'
import { makeMimicryProjector, mimicryTables, patternsForPlan } from '../../../controller/mimicry/index.ts'
import { seededRandom } from '../../../shared/random.ts'
import type { FeatureWindow } from '../../../shared/schemas/observation.ts'
import { apiWorld } from '../segments/api-world.ts'
import { cidr, iso } from '../segments/fleet.ts'

t.test('what is known of a segment is told in figures, and switched off and forgotten', async (t) => {
  const random = seededRandom('cli')
  const world = await apiWorld(t, {
    routes: [segmentRoutes, baselineRoutes],
    commands: [segmentsCommand, segmentsWatchCommand, baselinesCommand],
    tables: [baselineTables, forgottenTables, apartTables, mimicryTables],
  })
  const { store, ids, run, bus } = world
  t.match(await run('baselines', 'ls'), /Nothing is known yet/)
  const window = (n: number): FeatureWindow => ({
    type: 'window',
    at: iso(n * 1800),
    seconds: 600,
    subject: { kind: 'service', cidr, ip: '198.18.1.10', port: 22 },
    service: 'ssh',
    profile: {
      'response.delay': { form: 'sample', unit: 'ms', n: 1, values: [10 + 5 * random()] },
      'error.share': { form: 'share', part: n % 10 === 0 ? 1 : 0, of: 1 },
      'handshake.kind': { form: 'mix', counts: { 'a\u001b[2J': 1 } },
    },
    missed: 0,
  })
  const records = Array.from({ length: 40 }, (_, n) => ({
    pos: n + 1,
    agent: ids.agent,
    stream: 'features' as const,
    receivedAt: iso(n * 1800),
    record: window(n),
  }))
  await store.tx((sql) => makeBaselineProjector({ random }).project(sql, records))

  t.match(await run('baselines', 'ls', '--segment', 'office', '--kind', 'ssh'), /office\/ssh +service +office +ssh +40/)
  t.notMatch(await run('baselines', 'ls', '--kind', 'http'), /office/)
  const shown = await run('baselines', 'show', 'office/ssh')
  t.match(shown, /response\.delay +40 +1\d(\.\d)? ms +1\d(\.\d+)? ms to 1\d(\.\d+)? ms +all/)
  t.match(shown, /error\.share +40 +10 % +[34]\.\d+ % to 2\d\.\d %/)
  t.match(shown, /response\.delay {2,}[▁▂▃▄▅▆▇█·]{24}/)
  t.ok(
    shown.split('\n').every((line) => line.length <= 80),
    shown,
  )
  // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for control characters is the point
  t.notMatch(shown, /\u001b/)
  t.match(await run('baselines', 'show', 'office/ssh', '--hour', 'sat5'), /hour +sat 5:00 UTC/)
  t.match(JSON.parse(await run('--json', 'baselines', 'show', 'office/ssh')), {
    windows: 40,
    features: [{ feature: 'error.share', n: 40 }, {}, { feature: 'response.delay', n: 40 }],
  })
  await t.rejects(run('baselines', 'show', 'office/ssh', '--hour', 'noon'), { code: 'USAGE' })
  await t.rejects(run('baselines', 'show', 'nobody'), { code: 'NOT_FOUND' })

  const pattern = { kind: 'dns', hourly: Array(24).fill(3), burst: 0, gapMs: [], exchanges: [1], classes: [], n: 40 }
  const shape = { type: 'patterns' as const, at: iso(0), from: iso(0), cidr, patterns: [pattern] }
  const told = { pos: 41, agent: ids.agent, stream: 'features' as const, receivedAt: iso(0), record: shape }
  await store.tx((sql) => makeMimicryProjector().project(sql, [told]))
  t.match(await patternsForPlan(store, ids.segment), [{ kind: 'dns' }])

  const woken: unknown[] = []
  bus.on('plan-changed', (event) => woken.push(event.agents))
  t.match(await run('segments', 'watch', 'office'), /office is looked at/)
  t.match(await run('segments', 'watch', 'office', 'off', '--forget', '--dry-run'), /would be left alone/)
  t.match(await run('baselines', 'ls'), /office\/ssh/, 'a dry run changes nothing')
  t.same(woken, [])
  t.match(await run('segments', 'watch', 'office', 'off', '--forget'), /left alone[\s\S]*40 windows of 1 subject/)
  t.same(woken, [[ids.agent]])
  t.match(await run('segments', 'watch', 'office'), /office is left alone/)
  t.strictSame(await patternsForPlan(store, ids.segment), [], 'no decoy imitates it any more')
  t.strictSame(await forgottenNetworks(store, ids.agent), [cidr], 'its agents are told to forget it as well')
  await run('segments', 'watch', 'office', 'off')
  t.strictSame(await forgottenNetworks(store, ids.agent), [cidr])
  t.match(await run('baselines', 'ls'), /Nothing is known yet/)
  await t.rejects(run('segments', 'watch', 'office', 'maybe'), { code: 'USAGE' })
  await run('segments', 'watch', 'office', 'on')
  t.strictSame(await forgottenNetworks(store, ids.agent), [])
})

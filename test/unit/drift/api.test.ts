import t, { type Test } from 'tap'
import { decoyRoutes } from '../../../controller/api/routes/decoys.ts'
import { driftRoutes } from '../../../controller/api/routes/drift.ts'
import { apartTables, baselineTables, makeBaselineProjector } from '../../../controller/baselines/index.ts'
import { decoysCommand } from '../../../controller/cli/commands/decoys.ts'
import { driftCommand } from '../../../controller/cli/commands/drift.ts'
import { driftSettingsCommand } from '../../../controller/cli/commands/drift-settings.ts'
import { composePlan, listDecoys } from '../../../controller/decoys/index.ts'
import { driftOf, driftSettingTables, driftsOfAgent } from '../../../controller/drift/index.ts'
import { seededRandom } from '../../../shared/random.ts'
import { noDrift } from '../../../shared/schemas/drift.ts'
import { apiWorld } from '../segments/api-world.ts'
import { iso } from '../segments/fleet.ts'

async function setUp(t: Test) {
  const world = await apiWorld(t, {
    routes: [decoyRoutes, driftRoutes],
    commands: [decoysCommand, driftCommand, driftSettingsCommand],
  })
  const { store, bus, ids, config } = world
  for (const { statements } of [driftSettingTables, baselineTables, apartTables])
    for (const statement of statements) await store.run(statement)
  await world.run('decoys', 'deploy', '--segment', 'office')
  const [decoy] = await listDecoys(store)
  if (!decoy) throw new Error('no decoy')
  const plans: unknown[] = []
  bus.on('plan-changed', ({ agents }) => plans.push(agents))
  const drift = async (...words: string[]) => {
    const text = await world.run('drift', ...words)
    if (!words.includes('--json')) for (const line of text.split('\n')) t.ok([...line].length <= 80, line)
    return text
  }
  const planned = async () => {
    const deps = { config, neverBlock: async () => [], drifts: driftsOfAgent }
    return (await composePlan(store, ids.agent, deps)).decoys[0]?.drift
  }
  /** An hour of windows in which each answer of SSH takes 100 ms, one of fifty requests fails. */
  const behave = () =>
    store.tx((sql) =>
      makeBaselineProjector({ random: seededRandom('behave') }).project(
        sql,
        Array.from({ length: 60 }, (_, n) => ({
          pos: n + 1,
          agent: ids.agent,
          stream: 'features' as const,
          receivedAt: iso(60 * (n + 1)),
          record: {
            type: 'window' as const,
            at: iso(60 * (n + 1)),
            seconds: 60,
            subject: { kind: 'decoy' as const, decoy: decoy.id, port: 22 },
            service: 'ssh',
            drift: 'none',
            missed: 0,
            profile: {
              'response.delay': { form: 'sample' as const, unit: 'ms' as const, n: 5, values: [98, 99, 100, 101, 102] },
              'error.share': { form: 'share' as const, part: n % 5 === 0 ? 1 : 0, of: 10 },
              'session.rate': { form: 'rate' as const, count: 1, seconds: 60 },
            },
          },
        })),
      ),
    )
  return { ...world, decoy, plans, drift, planned, behave }
}

t.test('drift is set, listed, shown and cleared, and the plan follows', async (t) => {
  const { drift, decoy, plans, planned, ids, store } = await setUp(t)
  const { hostname, ip } = decoy
  const given = ['--form', 'fixed', '--ms', '120']
  t.match(
    await drift('set', hostname, 'latency', 'low', ...given, '--dry-run'),
    /would set[\s\S]*waits 120 ms[\s\S]*Nothing was changed/,
  )
  t.strictSame([plans, await planned()], [[], undefined])
  t.match(
    await drift('set', ip, 'latency', 'low', ...given, '--for', '2h', '--reason', 'a trial'),
    /waits 120 ms[\s\S]*until 2026-11-21 07:0\d:\d\dZ: a trial/,
  )
  t.strictSame(plans, [[ids.agent]], 'the agent is told at once')
  t.match(await planned(), {
    everyone: { effects: [{ type: 'latency', form: 'fixed', ms: 120, spread: 0 }] },
    views: [],
  })
  await drift('set', hostname, 'error', 'low', '--kind', 'busy', '--share', '0.05', '--add', '--source', '198.18.1.66')
  t.match(
    await planned(),
    {
      views: [
        { source: '198.18.1.66', drift: { effects: [{ ms: 120 }, { type: 'error', kind: 'busy', share: 0.05 }] } },
      ],
    },
    'what is added for one source stands beside what it meets',
  )
  t.match(await drift(), new RegExp(`${hostname} +everyone +latency `))
  t.match(await drift(), /198\.18\.1\.66 +latency 120 ms, busy 5 %/)
  t.match(await drift('ls', '--segment', 'office', '--decoy', ip), /198\.18\.1\.66/)
  t.match(JSON.parse(await drift('ls', '--json')), {
    items: [
      { hostname },
      { source: '198.18.1.66', words: [/120 ms/, /5 % of requests are answered as by a busy host/] },
    ],
  })
  const shown = await drift('show', hostname)
  t.match(shown, /everyone:\n {2}- each answer waits 120 ms[\s\S]*198\.18\.1\.66:[\s\S]*ssh, port 22/)
  t.match(
    await drift('clear', hostname, '--dry-run'),
    /would end, for everyone[\s\S]*1 more in force[\s\S]*Nothing was/,
  )
  t.match(await drift('clear', hostname), /ended, for everyone/)
  t.match(await drift('clear', hostname, '--source', '198.18.1.66'), /ended, for 198\.18\.1\.66/)
  t.strictSame(await driftOf(store, decoy.id), noDrift)
  t.equal(await planned(), undefined)
  const told = plans.length
  t.match(await drift('clear', hostname, '--all'), /No such drift was in force/)
  t.equal(plans.length, told)
  t.match(await drift('show', hostname), /drift +none[\s\S]*Earlier:[\s\S]*ended .*an\s+administrator cleared it/)
})

t.test('a preview says what becomes of what is expected at each port, and changes nothing', async (t) => {
  const { drift, decoy, plans, planned, behave } = await setUp(t)
  t.match(await drift('preview', decoy.ip, 'latency', 'medium'), /no baseline is known[\s\S]*nothing is known yet/)
  await behave()
  const shown = await drift('preview', decoy.ip, 'latency', 'high', '--form', 'fixed')
  t.match(shown, /relative to the answers of port 22[\s\S]*each answer waits 400 ms/)
  t.match(shown, /response\.delay +100 ms, 90 % below 102 +500 ms, 90 % below 502 +300/)
  t.match(shown, /error\.share +2 % +the same +600[\s\S]*Nothing was changed/)
  const json = JSON.parse(await drift('preview', decoy.ip, 'schedule', 'low', '--hours', '22,23,0,5', '--json'))
  t.match(json.ports[0].effects, [{ words: /from 5:00 to 6:00 and from 22:00 to 1:00/, here: '' }])
  t.match(
    json.ports[0].baseline.features.find(({ feature }: { feature: string }) => feature === 'session.rate'),
    { before: '60 an hour', after: '50 an hour' },
  )
  t.strictSame([plans, await planned()], [[], undefined])
  const seen = JSON.parse(await drift('preview', decoy.ip, 'alteration', 'high', '--json'))
  const done = JSON.parse(await drift('set', decoy.ip, 'alteration', 'high', '--json'))
  t.strictSame(done.settings[0].drift, seen.drift, 'what was previewed is what is set')
})

t.test('what cannot be is refused with the value and the next step', async (t) => {
  const { drift, decoy, plans } = await setUp(t)
  const set = (...words: string[]) => drift('set', decoy.ip, ...words)
  await t.rejects(set('latency', 'low', '--share', '0.1'), {
    code: 'USAGE',
    message: /--share 0\.1 says nothing about latency, which takes --form and --ms/,
  })
  await t.rejects(set('latency', 'low', '--ms', '4000'), {
    code: 'DRIFT_UNUSABLE',
    message: /ms is 4000: /,
    next: /--ms/,
  })
  await t.rejects(set('error', 'low', '--share', '0.5'), { code: 'DRIFT_UNUSABLE', message: /share is 0\.5: / })
  await t.rejects(set('noise', 'low'), { code: 'USAGE', message: /type is "noise"/ })
  await t.rejects(set('error', 'low', '--source', 'somebody'), { code: 'USAGE', message: /source is "somebody"/ })
  await t.rejects(drift('set', 'nobody', 'error', 'low'), { code: 'NOT_FOUND', next: /decoys ls/ })
  await set('error', 'high', '--share', '0.2')
  await t.rejects(set('error', 'high', '--share', '0.2', '--add'), {
    code: 'DRIFT_UNUSABLE',
    message: /errors add up to 0\.4 .*at most 0\.3/,
    next: /clear what is in force/,
  })
  t.equal(plans.length, 1)
})

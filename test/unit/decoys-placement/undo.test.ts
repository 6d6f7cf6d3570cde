import t, { type Test } from 'tap'
import { blockRoutes } from '../../../controller/api/routes/blocks.ts'
import { decoyRoutes } from '../../../controller/api/routes/decoys.ts'
import { blocksCommand } from '../../../controller/cli/commands/blocks.ts'
import { decoysCommand } from '../../../controller/cli/commands/decoys.ts'
import { listDecoys, makeDecoyActions, makeUndo, readDecoy } from '../../../controller/decoys/index.ts'
import {
  type Decision,
  listDecisions,
  makeBlocks,
  makeResponder,
  responseTables,
  unenforcedTables,
} from '../../../controller/response/index.ts'
import { expireChanges } from '../../../controller/response/undo.ts'
import { riskTables } from '../../../controller/risk/index.ts'
import { sessionTables } from '../../../controller/sessions/index.ts'
import { silentLog } from '../../../shared/log.ts'
import { systemRandom } from '../../../shared/random.ts'
import { apiWorld } from '../segments/api-world.ts'

// Each world builds a persona from the whole catalogue; a busy machine takes its time for that.
t.setTimeout(120_000)

/** A segment with one decoy; a source that crossed risk's thresholds there, and what risk did about it. */
async function decided(t: Test, kind: 'deploy' | 'reconfigure', config: object = {}) {
  const tables = [riskTables, responseTables, unenforcedTables, sessionTables]
  const world = await apiWorld(t, {
    routes: [decoyRoutes, blockRoutes],
    commands: [decoysCommand, blocksCommand],
    tables,
    config,
  })
  const { store, clock, ids, run } = world
  const deps = { ...world, log: silentLog, random: systemRandom }
  const actions = makeDecoyActions(deps)
  await run('decoys', 'deploy', '--segment', 'office')
  const [decoy] = await listDecoys(store)
  if (!decoy) throw new Error('no decoy')
  const at = new Date(clock.now()).toISOString()
  await store.run(
    `INSERT INTO risk_crossings (source, threshold, again, score, reasons, event_at, received_at, at, agent, decoy, segment)
     VALUES ('198.18.9.9', ?, 0, 70, '[]', ?, ?, ?, ?, ?, ?)`,
    kind,
    ...[at, at, at, ids.agent, decoy.id, ids.segment],
  )
  await makeResponder(deps, makeBlocks(deps), actions).respond()
  const plans: unknown[] = []
  world.bus.on('plan-changed', ({ agents }) => plans.push(agents))
  const decision = async (): Promise<Decision> => {
    const [one] = await listDecisions(store, { kind, limit: 1 })
    if (!one) throw new Error('no decision')
    return one
  }
  const expire = () => store.tx((sql) => expireChanges(sql, { ports: makeUndo(actions), clock }))
  return { ...world, actions, decoy, plans, decision, expire, id: (await decision()).id }
}
const week = 7 * 86_400

t.test('to undo a deployment takes its decoy away; a dry run says which, and does nothing', async (t) => {
  const { run, store, id, decoy, plans, ids, decision, clock } = await decided(t, 'deploy')
  const added = (await listDecoys(store)).find((one) => one.id !== decoy.id)
  t.equal((await decision()).expires_at, new Date(clock.now() + week * 1000).toISOString(), 'it has an end')
  t.match(await run('blocks', 'undo', id, '--dry-run'), `${added?.hostname} leaves ${added?.ip}`)
  t.match(await decision(), { status: 'active' })
  t.equal((await listDecoys(store)).length, 2)
  t.same(plans, [])
  const said = await run('blocks', 'undo', id)
  t.match(said, /is undone/)
  t.match(said.replace(/\s+/g, ' '), `${added?.hostname} leaves ${added?.ip}`)
  for (const line of said.split('\n')) t.ok(line.length <= 80, line)
  t.same(
    (await listDecoys(store)).map((one) => one.id),
    [decoy.id],
  )
  t.match(await decision(), { status: 'undone', ended_why: 'by an administrator' })
  t.same(plans, [[ids.agent]])
  t.match(await run('blocks', 'undo', id), /was undone already/)
  t.equal(plans.length, 1)
})

t.test('to undo a reconfiguration brings the version before back', async (t) => {
  const { run, store, id, decoy, plans } = await decided(t, 'reconfigure')
  t.match(await readDecoy(store, decoy.id), { personaVersion: 2 })
  await run('blocks', 'undo', id)
  t.match(await readDecoy(store, decoy.id), { personaVersion: 1 })
  t.equal(plans.length, 1)
})

t.test('what came after a reconfiguration is not undone with it: it is refused, with the next step', async (t) => {
  const { run, store, id, decoy, decision, expire, clock } = await decided(t, 'reconfigure')
  await run('decoys', 'reconfigure', decoy.hostname)
  await t.rejects(run('blocks', 'undo', id), {
    code: 'CONFLICT',
    message: /shows version 3/,
    next: /personas rollback/,
  })
  t.match(await decision(), { status: 'active' })
  clock.move(week)
  t.same(await expire(), [])
  t.match(await decision(), { status: 'expired', ended_why: /its time was over; .*version 3/ })
  t.match(await readDecoy(store, decoy.id), { personaVersion: 3 })
})

t.test('what waits for approval or is gone already leaves nothing to undo', async (t) => {
  const waiting = await decided(t, 'reconfigure', { personas: { approval: 'manual' } })
  t.match(await waiting.run('blocks', 'undo', waiting.id), /nothing was left/)
  t.match(await waiting.decision(), { status: 'undone' })
  const gone = await decided(t, 'reconfigure')
  await gone.run('decoys', 'retire', gone.decoy.hostname)
  t.match(await gone.run('blocks', 'undo', gone.id), /nothing was left/)
})

t.test('a deployment whose outcome was not kept is refused, with where to look', async (t) => {
  const { run, id, store } = await decided(t, 'deploy')
  await store.run(`UPDATE decisions SET outcome = 'null'`)
  await t.rejects(run('blocks', 'undo', id), { code: 'CONFLICT', next: /decoys ls/ })
})

t.test('both end by themselves when their time is over', async (t) => {
  const one = await decided(t, 'deploy', { response: { decoyHours: 2 } })
  one.clock.move(2 * 3600 - 1)
  t.same(await one.expire(), [])
  one.clock.move(1)
  t.same(await one.expire(), [{ name: 'plan-changed', agents: [one.ids.agent] }])
  t.equal((await listDecoys(one.store)).length, 1)
  t.match(await one.decision(), { status: 'expired', ended_why: 'its time was over' })
  const other = await decided(t, 'reconfigure')
  other.clock.move(week)
  await other.expire()
  t.match(await readDecoy(other.store, other.decoy.id), { personaVersion: 1 })
})

import t, { type Test } from 'tap'
import { enrol, loadIdentity } from '../../agent/enrol/index.ts'
import type { Alert } from '../../controller/alerts/index.ts'
import type { WaitingBox } from '../../controller/fleet/index.ts'
import { command } from '../faults/world.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { clientOptions, connected } from './controller-world.ts'
import { enrolledBefore, serving } from './enrolment-world.ts'

async function world(t: Test) {
  const { dataDir } = await enrolledBefore(t, 0, [], { enrolment: { approval: 'manual' } })
  const { api, deps, ports } = await serving(t, dataDir)
  const invite = async () => {
    const body = { segment: 'office', name: 'gate-1' }
    const { items } = await api.post<{ items: { id: string; token: string }[] }>('/v1/agents/invite', body)
    return items[0] as { id: string; token: string }
  }
  const hardware = { board: 'b'.repeat(32), macs: [] }
  const ask = (token: string, stateDir: string, more: object = {}) =>
    enrol({ stateDir, token, version: '0', now: Date.now(), hardware, ...more })
  const waiting = async () => (await api.get<{ items: WaitingBox[] }>('/v1/claims/waiting')).items
  const alerts = async () => (await api.get<{ items: Alert[] }>('/v1/alerts')).items
  const news = () => new Promise((resolve) => void deps.bus.on('alert', resolve))
  return { dataDir, api, deps, ports, invite, ask, waiting, alerts, news }
}

t.test('a box waits until it is approved, over a restart of its own, and then is let in', async (t) => {
  const { dataDir, invite, ask, waiting, alerts, news, ports, deps } = await world(t)
  const { id, token } = await invite()
  const stateDir = await tempFolder(t)
  const told = news()
  await t.rejects(ask(token, stateDir), { code: 'WAITS_FOR_APPROVAL' })
  await told
  t.match(await alerts(), [
    { kind: 'enrolment', subject: id, severity: 'info', title: /waits for approval/, status: 'open' },
  ])
  t.match(await waiting(), [
    { id, segment: 'office', name: 'gate-1', source: '127.0.0.1', hardware: { board: String } },
  ])
  t.same(await deps.store.all('SELECT id FROM agents'), [], 'nobody is let in before')
  const list = await command('marshlight', '--data', dataDir, 'agents', 'waiting')
  t.match(list.out, /127\.0\.0\.1.*board bbbbbbbb.*office/)
  t.ok(
    list.out.split('\n').every((line) => line.length <= 80),
    'in 80 columns',
  )

  // The same box, started anew, with the claim's time over meanwhile; approved while it waits.
  await deps.store.run('UPDATE claims SET expires_at = ?', new Date(Date.now() - 1000).toISOString())
  const steps: string[] = []
  const asleep = Promise.withResolvers<void>()
  const approvedNow = Promise.withResolvers<void>()
  const sleep = () => {
    asleep.resolve()
    return approvedNow.promise
  }
  const clock = { now: Date.now, sleep }
  const enrolled = ask(token, stateDir, {
    wait: { clock, random: Math.random },
    onStep: (step: string) => steps.push(step),
  })
  await asleep.promise
  t.match(steps.at(-1), /waits until an administrator approves it/)
  const dry = await command('marshlight', '--data', dataDir, 'agents', 'approve', id.slice(-8), '--dry-run')
  t.match(dry.out, /Would approve .* for office/)
  t.equal((await waiting()).length, 1)
  t.match((await command('marshlight', '--data', dataDir, 'agents', 'approve', id.slice(-8))).out, /^Approved /)
  approvedNow.resolve()
  t.match(await enrolled, { name: 'gate-1' })
  await (await connected(clientOptions(await loadIdentity(stateDir), ports.mqtt))).endAsync(true)
  t.same(await waiting(), [])
  t.match(await alerts(), [{ status: 'closed', ended_why: 'the box was approved' }])
})

t.test('the claim waits for the box that came first, and no other', async (t) => {
  const { api, invite, ask, waiting } = await world(t)
  const { id, token } = await invite()
  const [first, second] = [await tempFolder(t), await tempFolder(t)]
  await t.rejects(ask(token, first), { code: 'WAITS_FOR_APPROVAL' })
  await t.rejects(ask(token, second), { code: 'TOKEN_USED' })
  t.equal((await waiting()).length, 1)
  await api.post(`/v1/claims/waiting/${id}/approve`, {})
  await t.rejects(ask(token, second), { code: 'TOKEN_USED' }, 'approved was the first')
  t.match(await ask(token, first), { name: 'gate-1' })
})

t.test('a rejected box is turned away for good', async (t) => {
  const { api, invite, ask, waiting, deps } = await world(t)
  const { id, token } = await invite()
  const stateDir = await tempFolder(t)
  await t.rejects(ask(token, stateDir), { code: 'WAITS_FOR_APPROVAL' })
  await t.rejects(api.post('/v1/claims/waiting/nobody/approve', {}), { code: 'NOT_FOUND' })
  await api.post(`/v1/claims/waiting/${id}/reject`, {})
  t.same(await waiting(), [])
  for (const state of [stateDir, await tempFolder(t)]) await t.rejects(ask(token, state), { code: 'TOKEN_REJECTED' })
  await t.rejects(api.post(`/v1/claims/waiting/${id}/approve`, {}), { code: 'NOT_FOUND' })
  t.same(await deps.store.all('SELECT id FROM agents'), [])
})

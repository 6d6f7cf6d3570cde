import t, { type Test } from 'tap'
import { enrol } from '../../agent/enrol/index.ts'
import type { Alert } from '../../controller/alerts/index.ts'
import { newId } from '../../shared/ids.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { enrolledBefore, serving } from './enrolment-world.ts'

type Made = { id: string; token: string; within?: string[] }

async function world(t: Test) {
  const { dataDir } = await enrolledBefore(t, 0, [])
  const { api, deps } = await serving(t, dataDir)
  const invite = async (more: object = {}) =>
    (await api.post<{ items: Made[] }>('/v1/agents/invite', { segment: 'office', name: 'gate-1', ...more }))
      .items[0] as Made
  const use = async (token: string, networks: string[] = ['198.18.4.9/24']) =>
    enrol({
      stateDir: await tempFolder(t),
      token,
      version: '0',
      now: Date.now(),
      networks,
      hardware: { board: 'b'.repeat(32), macs: [] },
    })
  /** The alert that follows `work`, which is refused with `code`. */
  async function refused(code: string, work: () => Promise<unknown>): Promise<Alert | undefined> {
    const raised = new Promise<string>((resolve) => void deps.bus.on('alert', ({ id }) => resolve(id)))
    await t.rejects(work(), { code })
    const id = await raised
    return (await api.get<{ items: Alert[] }>('/v1/alerts')).items.find((one) => one.id === id)
  }
  const alerts = async () => (await api.get<{ items: Alert[] }>('/v1/alerts')).items
  return { api, deps, invite, use, refused, alerts }
}

/** The token with other contents. */
const forged = (token: string, change: object) => {
  const body = JSON.parse(Buffer.from(token.slice(4), 'base64url').toString('utf8'))
  return `ml1.${Buffer.from(JSON.stringify({ ...body, ...change })).toString('base64url')}`
}

t.test('a claim used twice is refused and told, with who used it now and who before', async (t) => {
  const { invite, use, refused } = await world(t)
  const { id, token } = await invite()
  await use(token)
  t.match(await refused('TOKEN_USED', () => use(token)), {
    kind: 'enrolment',
    subject: id,
    severity: 'warning',
    title: 'a claim for gate-1 in office was used again',
    reasons: [/^from 127\.0\.0\.1 by .*board bbbbbbbb: /, /^first used at .* gate-1 now$/],
  })
})

t.test('a claim used late, or with a guessed secret, is refused and told', async (t) => {
  const { invite, use, refused, deps } = await world(t)
  const { id, token } = await invite()
  t.match(await refused('TOKEN_INVALID', () => use(forged(token, { secret: 'guess' }))), { title: /was refused$/ })
  await deps.store.run('UPDATE claims SET expires_at = ? WHERE id = ?', new Date(Date.now() - 1000).toISOString(), id)
  await deps.store.run("UPDATE alerts SET status = 'closed'")
  t.match(await refused('TOKEN_EXPIRED', () => use(token)), { subject: id, title: /was used too late$/ })
})

t.test('a claim is good only where it is meant for', async (t) => {
  const { invite, use, refused } = await world(t)
  const { token } = await invite({ from: ['198.18.3.0/24', '198.19.0.0/16'] })
  t.match(await refused('TOKEN_MISPLACED', () => use(token)), {
    title: /was used from a wrong place$/,
    reasons: [/^from 127\.0\.0\.1 /],
  })
  await t.rejects(use(token), { message: /from 127\.0\.0\.1$/ })
  const { token: here } = await invite({ from: ['127.0.0.0/8'], name: 'gate-2' })
  t.match(await use(here), { name: 'gate-2' })
  await t.rejects(invite({ from: ['anywhere'] }), { code: 'USAGE' })
})

t.test(
  'where the network of the segment is known, a claim is for it alone unless somebody says otherwise',
  async (t) => {
    const { api, deps, invite, use, refused } = await world(t)
    const unknown = await invite({ name: 'gate-0' })
    t.notOk('within' in unknown, 'nobody knows the network yet')
    t.match(await use(unknown.token, []), { name: 'gate-0' })
    await api.put('/v1/sites/hq/plan', { plan: { segments: [{ name: 'office', cidr: '198.18.3.0/24' }] } })
    const { id, token, within } = await invite({ site: 'hq' })
    t.same(within, ['198.18.3.0/24'], 'as it is planned')
    t.match(await refused('TOKEN_MISPLACED', () => use(token)), {
      subject: id,
      title: /was used from a wrong place$/,
      reasons: [/ it is for 198\.18\.3\.0\/24, and was used from 198\.18\.4\.9\/24$/],
    })
    await t.rejects(use(token, []), { message: /it is for 198\.18\.3\.0\/24, and was used from no-network-at-all$/ })
    t.match(await use(token, ['10.0.0.1/8', '198.18.3.9/24']), { name: 'gate-1' }, 'one of its cards is in it')
    // As a box that is there told it; the plan was wrong, and is right with the next.
    await deps.store.run(
      "UPDATE segments SET cidr = '198.18.5.0/24' WHERE site = (SELECT id FROM sites WHERE name = 'hq')",
    )
    t.same((await invite({ site: 'hq', name: 'gate-2' })).within, ['198.18.3.0/24', '198.18.5.0/24'])
    const place = (more: object) => api.post<Made>('/v1/agents/gate-1/replace', more)
    await t.rejects(
      use((await place({})).token),
      { code: 'TOKEN_MISPLACED' },
      'nor in the place of a box that is there',
    )
    t.match(await use((await place({ anywhere: true })).token), { name: 'gate-1' })
    const anywhere = await invite({ site: 'hq', name: 'gate-3', anywhere: true })
    t.notOk('within' in anywhere)
    t.match(await use(anywhere.token), { name: 'gate-3' })
    await t.rejects(invite({ anywhere: true, from: ['198.18.3.0/24'] }), { code: 'USAGE', message: /--anywhere fits/ })
  },
)

t.test('a claim that nobody made is refused without a word to people', async (t) => {
  const { invite, use, refused, alerts } = await world(t)
  const { token } = await invite()
  await t.rejects(use(forged(token, { id: newId() })), { code: 'TOKEN_INVALID' })
  await use(token)
  await refused('TOKEN_USED', () => use(token))
  t.equal((await alerts()).length, 1)
})

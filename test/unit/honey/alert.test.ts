import { createHash } from 'node:crypto'
import t from 'tap'
import { listAlerts } from '../../../controller/alerts/index.ts'
import { build, loadOuis, readCatalogue, savePersona } from '../../../controller/personas/index.ts'
import { enrol, event, makeChain, persona as planted } from '../sessions/chain.ts'
import { startMs } from '../sessions/hand-clock.ts'

const catalogue = readCatalogue()
const ouis = await loadOuis()

/** A fleet where web-07 has the files of a database server, and with them what is planted there. */
async function withHoney(t: Parameters<typeof makeChain>[0]) {
  const chain = makeChain(t)
  const segment = await enrol(chain)
  const template = catalogue.templates.find(({ id }) => id === 'database-server-debian-12')
  if (!template) throw new Error('no such family')
  const input = { id: planted, seed: 'honey-seed', template, because: 'test', neighbours: [], taken: new Set<string>() }
  const persona = build({ ...input, now: Date.parse('2026-11-21T05:00:00Z') }, catalogue, ouis)
  await savePersona(chain.store, persona, { segment, reason: 'test', at: new Date(startMs).toISOString() })
  const [one] = persona.honey ?? []
  if (!one) throw new Error('nothing is planted')
  return { chain, one }
}

t.test('a log-in read from a decoy’s file tells where it was planted, where it is used and by whom', async (t) => {
  const { chain, one } = await withHoney(t)
  await chain.feed('events', [
    event('session.open', { session: 'h1' }, 0),
    event('login.failed', { session: 'h1', username: one.username, password: one.password }, 10),
  ])
  const [alert] = await listAlerts(chain.store, { kind: 'honey', limit: 10 })
  t.match(alert, { subject: '203.0.113.9', severity: 'critical', count: 1, title: /planted on web-07/ })
  t.ok(alert?.reasons.some((words) => words.includes(one.path) && words.includes('web-07 (198.18.1.50, net of box-a)')))
  t.ok(alert?.reasons.some((words) => words.startsWith(`used: as ${one.username} at web-07`)))
  t.notOk(JSON.stringify(alert).includes(one.password), 'the password itself stays out of alerts')
  const risk = await listAlerts(chain.store, { kind: 'risk', limit: 10 })
  t.ok(risk[0]?.reasons.some((words) => words.includes('planted in a decoy')))
  t.equal((await chain.store.all("SELECT * FROM behaviours WHERE kind = 'honey.used'")).length, 1)
})

t.test(
  'another name with a planted password tells as much; other passwords and doubled records tell nothing',
  async (t) => {
    const { chain, one } = await withHoney(t)
    const tried = event('login.success', { session: 'h2', username: 'root', password: one.password }, 20)
    await chain.feed('events', [
      event('session.open', { session: 'h2' }, 0),
      event('login.failed', { session: 'h2', username: one.username, password: 'summer2024' }, 10),
    ])
    t.same(await listAlerts(chain.store, { kind: 'honey', limit: 10 }), [])
    await chain.feed('events', [tried])
    await chain.feed('events', [tried])
    const [alert] = await listAlerts(chain.store, { kind: 'honey', limit: 10 })
    t.equal(alert?.count, 1)
    t.ok(alert?.reasons.some((words) => words.includes('used: as root') && words.includes('let it in')))
  },
)

t.test(
  'an answer to a decoy’s challenge and a typed line tell as much, and neither gives the password away',
  async (t) => {
    const { chain, one } = await withHoney(t)
    const md5 = (text: string | Buffer) => createHash('md5').update(text).digest('hex')
    const answerOf = (password: string) =>
      `md5${md5(Buffer.concat([Buffer.from(md5(password + one.username)), Buffer.from('01020304', 'hex')]))}`
    const tried = (password: string) => ({
      ...{ session: 'h3', service: 'postgres', username: one.username },
      data: { scheme: 'postgres-md5', salt: '01020304', response: answerOf(password) },
    })
    await chain.feed('events', [
      event('session.open', { session: 'h3' }, 0),
      event('login.failed', tried('summer2024'), 10),
      event('command', { session: 'h3', command: 'mysql -uroot -psummer2024 -h db' }, 20),
    ])
    t.same(await listAlerts(chain.store, { kind: 'honey', limit: 10 }), [])
    await chain.feed('events', [event('login.failed', tried(one.password), 30)])
    const [proved] = await listAlerts(chain.store, { kind: 'honey', limit: 10 })
    t.ok(proved?.reasons.some((words) => words.includes('by postgres, whose challenge was answered')))
    await chain.feed('events', [
      event('command', { session: 'h3', command: `sshpass -p '${one.password}' ssh db` }, 40),
    ])
    const [typed] = await listAlerts(chain.store, { kind: 'honey', limit: 10 })
    t.equal(typed?.count, 2)
    t.ok(typed?.reasons.some((words) => words.includes('in a line that was typed')))
    t.notOk(JSON.stringify(typed).includes(one.password))
  },
)

import { join } from 'node:path'
import t from 'tap'
import { serverError } from '../../agent/enrol/index.ts'
import { makeLink } from '../../agent/link/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { silentLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import { upTopic } from '../../shared/topics.ts'
import { notices, openSpool, tempFolder } from '../unit/spool/records.ts'
import { drained, eventually } from './agent-link-world.ts'
import { type AgentIdentity, clientOptions, connected, world } from './controller-world.ts'

const agents = 16

/** The link of a real agent, with its spool, that comes back quickly. */
async function realLink(
  t: Parameters<typeof tempFolder>[0],
  identity: AgentIdentity,
  port: number,
  signingKey: string,
) {
  const folder = await tempFolder(t)
  const spool = await openSpool(join(folder, 'spool'))
  const link = makeLink(
    {
      identity: { v: 1, name: 'test', roles: ['decoys'], ...identity, mqtt: { host: '127.0.0.1', port }, signingKey },
      checkServer: serverError,
      folder: join(folder, 'documents'),
      spool,
      report: (stream, records) => spool.append(stream, records),
      handlers: { onPlan: () => {}, onBlocks: () => {}, onRequest: async () => ({ ok: true }) },
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      about: { version: '0', hostname: 'box' },
    },
    { retry: { firstMs: 20, capMs: 200, busyCapMs: 400 } },
  )
  t.teardown(async () => {
    await link.stop()
    await spool.stop()
  })
  return { link, spool }
}

t.test('of a crowd few come in at a time; those told to come later do, and nothing is lost or doubled', async (t) => {
  const limits = { atOnce: 2, waiting: 3, waitMs: 2000 }
  const centre = await world(t, limits)
  const crowd: Awaited<ReturnType<typeof realLink>>[] = []
  for (let i = 0; i < agents; i++) {
    const identity = await centre.newAgent(`lan-${i}`)
    crowd.push(await realLink(t, identity, centre.broker.port(), centre.authority.signingPublicPem))
  }
  for (const { spool } of crowd) await spool.append('state', notices(50))
  const busy = new Set<number>()
  await Promise.all(crowd.map(({ link }) => link.start(new AbortController().signal)))
  await eventually('all are in and all is acknowledged', () => {
    for (const [i, { link }] of crowd.entries())
      if (link.standing().lastError?.startsWith('CONTROLLER_BUSY')) busy.add(i)
    return crowd.every(({ spool, link }) => drained(spool)() && link.standing().connected)
  })
  const { connected: there, mostEntering, turnedAway } = centre.broker.arrivals()
  t.equal(there, agents)
  t.ok(mostEntering <= limits.atOnce, `${mostEntering} at once`)
  t.ok(turnedAway > 0 && busy.size > 0, `${turnedAway} were turned away, ${busy.size} agents say so`)
  t.match(
    await centre.store.get(
      `SELECT count(*) AS n, count(DISTINCT s.id) AS streams FROM records r JOIN streams s ON s.id = r.stream_id
       WHERE r.body LIKE '%notice%'`,
    ),
    { n: agents * 50, streams: agents },
  )
})

t.test('of a sender no more is read than a message or two while they wait to be taken', async (t) => {
  const centre = await world(t)
  const identity = await centre.newAgent()
  let inHand = 0
  let most = 0
  let taken = 0
  const payload = Buffer.alloc(400_000)
  centre.broker.handle({
    refuse: async () => undefined,
    async onMessage(_agent, _topic, { byteLength }) {
      inHand += byteLength
      most = Math.max(most, inHand)
      await systemClock.sleep(5)
      inHand -= byteLength
      taken++
    },
    onConnect: () => {},
    onListening: () => {},
    onDisconnect: () => {},
    onNote: () => {},
  })
  const client = await connected(clientOptions(identity, centre.broker.port()))
  t.teardown(() => client.endAsync(true))
  const sent = Array.from({ length: 60 }, () =>
    client.publishAsync(upTopic(identity.agent, 'events'), payload, { qos: 1 }),
  )
  await Promise.all(sent)
  t.equal(taken, 60)
  t.ok(most <= 1_048_576 + 2 * payload.length, `${most} bytes were in hand`)
})

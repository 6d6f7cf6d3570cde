import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { MqttClient } from 'mqtt'
import t from 'tap'
import { placeCard } from '../../controller/segments/place.ts'
import { databaseIn, migrations } from '../../controller/serve/database.ts'
import { openSqlite } from '../../controller/store/sqlite.ts'
import { type Plan, plan as planSchema } from '../../shared/schemas/desired-state.ts'
import { publicKeyFromPem, verifyDocument } from '../../shared/signing.ts'
import { topicOf } from '../../shared/topics.ts'
import { prepareController } from '../bench/controller.ts'
import { until } from '../bench/until.ts'
import { clientOptions, connected } from './controller-world.ts'

const program = join(import.meta.dirname, '../../controller/cli.ts')

t.test(
  'drift that is set by the command comes to the agent in a signed plan, ends by time, and goes when it is cleared',
  async (t) => {
    const wish = { name: 'box', roles: ['decoys' as const], segment: 'lan' }
    const decoys = { perSegment: 0, ranges: ['198.18.77.64/26'], audit: { enabled: false } }
    const prepared = await prepareController('127.0.0.1', [wish], { decoys })
    t.teardown(() => prepared.remove())
    const [identity] = prepared.identities
    if (!identity) throw new Error('not enrolled')
    const store = openSqlite(databaseIn(prepared.dataDir), migrations)
    const card = { cidr: '198.18.77.0/24', nic: 'eth9', address: '198.18.77.2', mac: '02:00:00:00:00:01', dns: [] }
    await store.tx((sql) => placeCard(sql, identity.agent, card, Date.now()))
    await store.close()
    const { api, dataDir } = await prepared.start()
    const client = await connected(clientOptions({ ...identity }, identity.mqtt.port))
    t.teardown(() => client.endAsync(true))
    const plans = followPlans(client, identity.agent, identity.signingKey)
    await client.subscribeAsync(topicOf(identity.agent, 'plan'), { qos: 1 })
    await until(
      async () => (await api.get<{ items: { presence: string }[] }>('/v1/agents')).items[0]?.presence === 'online',
      'the agent is online',
    )
    const deployed = plans.next((plan) => plan.decoys.length === 1)
    const { decoy } = await api.post<{ decoy: string }>('/v1/decoys', { segment: 'lan' })
    const drift = (plan: Plan) => plan.decoys.find(({ id }) => id === decoy)?.drift
    const bare = await deployed
    t.equal(drift(bare), undefined)
    t.match(bare.observe, { capture: true, segments: ['198.18.77.0/24'] })

    const body = { type: 'latency', intensity: 'low' }
    const given = ['latency', 'low', '--form', 'fixed', '--ms', '120']
    const withDrift = plans.next((plan) => drift(plan) !== undefined)
    await promisify(execFile)(process.execPath, [program, '--data', dataDir, 'drift', 'set', decoy, ...given])
    t.match(drift(await withDrift), { everyone: { effects: [{ type: 'latency', form: 'fixed', ms: 120, spread: 0 }] } })

    const without = plans.next((plan) => drift(plan) === undefined)
    await api.delete(`/v1/drift/${decoy}`)
    await without

    // As if the hour had gone by: what expires is looked at whenever plans change.
    const again = plans.next((plan) => drift(plan) !== undefined)
    await api.post(`/v1/drift/${decoy}`, { ...body, minutes: 60 })
    await again
    const past = openSqlite(databaseIn(dataDir), migrations)
    await past.run('UPDATE drift_settings SET until = ? WHERE ended_at IS NULL', new Date(Date.now() - 1).toISOString())
    await past.close()
    const view = plans.next((plan) => drift(plan)?.everyone === null)
    await api.post(`/v1/drift/${decoy}`, { ...body, source: '198.18.77.9' })
    t.match(drift(await view), { everyone: null, views: [{ source: '198.18.77.9' }] })
  },
)

/** Plans as an agent takes them: verified, in their order. */
function followPlans(client: MqttClient, agent: string, signingKey: string) {
  const publicKey = publicKeyFromPem(signingKey)
  const waiting = new Set<(plan: Plan) => void>()
  client.on('message', (_topic, payload) => {
    const plan = verifyDocument(payload, planSchema, { publicKey, agent, now: Date.now() })
    for (const take of waiting) take(plan)
  })
  return {
    next: (fits: (plan: Plan) => boolean): Promise<Plan> =>
      new Promise((resolve) => {
        const take = (plan: Plan) => {
          if (!fits(plan)) return
          waiting.delete(take)
          resolve(plan)
        }
        waiting.add(take)
      }),
  }
}

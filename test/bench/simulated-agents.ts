/**
 * Simulated agents, many in one process: of a real agent each has the certificate, the connection, the verification of
 * signed documents and the report that a block list is applied; it has no spool and no packet filter.
 *
 * In: {identities}. Out: {connected: n} when all are connected, {acknowledged: n} when as many reports of the latest
 * decision have been committed as there are agents.
 */
import mqtt, { type IClientOptions } from 'mqtt'
import type { Identity } from '../../agent/enrol/index.ts'
import { encodeBatch } from '../../shared/batch.ts'
import { newId } from '../../shared/ids.ts'
import { blockList } from '../../shared/schemas/desired-state.ts'
import { type Acknowledgement, type BatchHead, streamNames } from '../../shared/schemas/envelope.ts'
import { publicKeyFromPem, verifyDocument } from '../../shared/signing.ts'
import { topicOf, upTopic } from '../../shared/topics.ts'

const say = (message: object) => void process.send?.(message)
/** Agents by how many entries of the list they were told to have committed. */
const committed = new Map<string, number>()

function tellWhenAll(agents: number, entries: number): void {
  const done = [...committed.values()].filter((count) => count >= entries).length
  if (done === agents) say({ acknowledged: entries })
}

async function simulate(identity: Identity, agents: number): Promise<void> {
  const { agent } = identity
  const publicKey = publicKeyFromPem(identity.signingKey)
  const epoch = newId()
  let next = 0
  /** Number of the record after a report, and how many entries it told of. */
  const told = new Map<number, number>()
  const options: IClientOptions & { minVersion: string } = {
    protocol: 'mqtts',
    protocolVersion: 4,
    host: identity.mqtt.host,
    port: identity.mqtt.port,
    minVersion: 'TLSv1.3',
    key: identity.key,
    cert: identity.certificate,
    ca: identity.ca,
    clientId: agent,
    reconnectPeriod: 0,
    keepalive: 30,
  }
  const client = await mqtt.connectAsync(options)
  client.on('message', (topic, payload) => {
    if (topic === topicOf(agent, 'ack')) {
      const ack = JSON.parse(payload.toString('utf8')) as Acknowledgement
      const entries = told.get(ack.next)
      if (entries === undefined) return
      committed.set(agent, entries)
      tellWhenAll(agents, entries)
      return
    }
    const list = verifyDocument(payload, blockList, { publicKey, agent, now: Date.now() })
    const record = {
      type: 'document',
      at: new Date().toISOString(),
      document: 'blocks',
      revision: list.revision,
      outcome: 'applied',
      count: list.entries.length,
    }
    const head: BatchHead = { v: 1, epoch, first: next, count: 1, losses: [] }
    next++
    told.set(next, list.entries.length)
    client.publish(upTopic(agent, 'state'), encodeBatch(head, [JSON.stringify(record)]), { qos: 1 })
  })
  await client.subscribeAsync([topicOf(agent, 'ack'), topicOf(agent, 'blocks')], { qos: 1 })
  const hello = {
    at: new Date().toISOString(),
    agent,
    version: 'bench',
    roles: identity.roles,
    hostname: 'bench',
    planRevision: 0,
    blocksRevision: 0,
    streams: Object.fromEntries(streamNames.map((name) => [name, { epoch, next: 0 }])),
  }
  await client.publishAsync(topicOf(agent, 'hello'), JSON.stringify(hello), { qos: 1 })
}

process.on('message', async ({ identities }: { identities: Identity[] }) => {
  // Ten handshakes at a time: what is measured comes after them.
  for (let at = 0; at < identities.length; at += 10)
    await Promise.all(identities.slice(at, at + 10).map((identity) => simulate(identity, identities.length)))
  say({ connected: identities.length })
})

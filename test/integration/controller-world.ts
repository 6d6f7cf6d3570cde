import { createHash, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { readConfig } from '../../controller/config.ts'
import type { Deps } from '../../controller/deps.ts'
import {
  type Authority,
  careTables,
  certificateTables,
  codeTables,
  enrol,
  fleetTables,
  initController,
  keyTables,
  lateTables,
  makeClaim,
  makeDesired,
  makePresence,
  makeRequests,
  markRevoked,
  openAuthority,
  revokedCertificates,
} from '../../controller/fleet/index.ts'
import { ingestTables, makeIngest } from '../../controller/ingest/index.ts'
import type { AdmissionLimits } from '../../controller/link/admission.ts'
import { makeAedesBroker } from '../../controller/link/index.ts'
import { agentConnections } from '../../controller/serve/agent-connections.ts'
import { coreTables } from '../../controller/store/core-tables.ts'
import { openSqlite } from '../../controller/store/sqlite.ts'
import { makeBus } from '../../controller/work/bus.ts'
import { systemClock } from '../../shared/clock.ts'
import { silentLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import type { Acknowledgement } from '../../shared/schemas/envelope.ts'
import { topicOf } from '../../shared/topics.ts'
import { certificateRequest } from './controller-csr.ts'

export type AgentIdentity = { agent: string; key: string; certificate: string; ca: string }

export const neverBlock = ['198.18.0.1/32']
const scan = {
  enabled: false,
  ranges: [],
  exclude: [],
  decoyMacs: [],
  maxRate: 100,
  quickEverySeconds: 300,
  detailEverySeconds: 3600,
  fullPictureEverySeconds: 3600,
  maxHosts: 256,
}

export async function newDataDir(): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'marshlight-controller-'))
  await initController({ dataDir, config: {}, now: Date.now() })
  return dataDir
}

/** Link, ingest and fleet on real parts, listening on `port` of loopback (0: any). */
export async function runCentre(dataDir: string, port = 0, admission: Partial<AdmissionLimits> = {}) {
  const store = openSqlite(join(dataDir, 'marshlight.db'), [
    coreTables,
    fleetTables,
    certificateTables,
    codeTables,
    careTables,
    keyTables,
    lateTables,
    ingestTables,
  ])
  const read = readConfig(dataDir)
  const config = { ...read, mqtt: { ...read.mqtt, host: '127.0.0.1', port } }
  const deps: Deps = {
    config,
    dataDir,
    store,
    bus: makeBus(),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  }
  const authority = await openAuthority(dataDir)
  const material = async () => ({
    key: authority.serverKey,
    cert: authority.serverCert,
    ca: authority.caPem,
    crl: await authority.revocationList(await revokedCertificates(store, new Date().toISOString()), Date.now()),
  })
  const outside = { clock: systemClock, log: silentLog }
  const broker = makeAedesBroker({ listen: config.mqtt, tls: await material(), admission, ...outside })
  const publish = (agent: string, name: 'plan' | 'blocks' | 'request' | 'ack', message: unknown) =>
    broker.publish(topicOf(agent, name), JSON.stringify(message), { retain: name === 'plan' || name === 'blocks' })
  const acknowledge = (agent: string, ack: Acknowledgement) => void publish(agent, 'ack', ack)
  const ingest = makeIngest({ ...deps, acknowledge })
  const blocks: { id: string; cidr: string; until: string }[] = []
  const desired = makeDesired(deps, authority, {
    composePlan: async () => ({ decoys: [], personas: [], scan, neverBlock }),
    composeBlocks: async () => ({ entries: blocks, neverBlock }),
    publish,
  })
  const requests = makeRequests(deps, authority, (agent, request, signal) =>
    broker.listening(agent, signal).then(() => publish(agent, 'request', request)),
  )
  const { connected, listens, arrivals: door } = broker
  const presence = makePresence({ ...deps, silentSeconds: 10, connected, listens, door })
  broker.handle(agentConnections(deps, { ingest, desired, presence, acknowledge, onReply: requests.accept }))
  const parts = [ingest, presence, broker, desired]
  for (const part of parts) await part.start(new AbortController().signal)
  return {
    ...deps,
    authority,
    broker,
    ingest,
    desired,
    requests,
    blocks,
    newAgent: (segment = 'lan') => newAgent(deps, authority, segment),
    async revoke(agent: string): Promise<void> {
      await store.tx((sql) => markRevoked(sql, agent, 'a test', new Date().toISOString()))
      broker.useTls(await material())
      await broker.disconnect(agent, 'revoked')
    },
    async stop(): Promise<void> {
      for (const part of parts.reverse()) await part.stop()
      await store.close()
    },
  }
}

export async function world(t: { teardown(work: () => unknown): void }, admission: Partial<AdmissionLimits> = {}) {
  const dataDir = await newDataDir()
  const centre = await runCentre(dataDir, 0, admission)
  t.teardown(async () => {
    await centre.stop()
    rmSync(dataDir, { recursive: true })
  })
  return centre
}

async function newAgent(deps: Deps, authority: Authority, segment: string): Promise<AgentIdentity> {
  const invitation = { site: 'hq', segment, roles: ['decoys' as const], hours: 1 }
  const { id, secret } = await deps.store.tx((sql) => makeClaim(sql, invitation, Date.now()))
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
  const csr = await certificateRequest(key)
  const hostname = `host-${createHash('sha256').update(id).digest('hex').slice(0, 8)}`
  const { agent, certificate, ca } = await enrol(deps, authority, {
    token: { id, secret },
    csr,
    hostname,
    version: '0',
  })
  return { agent, key, certificate, ca }
}

export const clientOptions = (identity: AgentIdentity, port: number, more: IClientOptions = {}): IClientOptions =>
  ({
    protocol: 'mqtts',
    host: '127.0.0.1',
    port,
    protocolVersion: 4,
    key: identity.key,
    cert: identity.certificate,
    ca: identity.ca,
    clientId: identity.agent,
    reconnectPeriod: 0,
    keepalive: 5,
    ...more,
  }) as IClientOptions

/** Connects, or rejects with the reason. */
export function connected(options: IClientOptions): Promise<MqttClient> {
  const client = mqtt.connect(options)
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve(client))
    client.once('error', (error) => {
      client.end(true)
      reject(error)
    })
    client.once('close', () => reject(new Error('closed before it was connected')))
  })
}

/** The next message on `name` for which `fits` holds. Subscribe first. */
export function nextMessage<T>(client: MqttClient, name: string, fits: (value: T) => boolean = () => true): Promise<T> {
  return new Promise((resolve) => {
    const listen = (topic: string, payload: Buffer) => {
      if (!topic.endsWith(`/${name}`)) return
      const value = JSON.parse(payload.toString('utf8')) as T
      if (!fits(value)) return
      client.off('message', listen)
      resolve(value)
    }
    client.on('message', listen)
  })
}

/** Resolves when the connection is closed, with whatever error before it. */
export function closing(client: MqttClient): Promise<void> {
  client.on('error', () => {})
  return new Promise((resolve) => client.once('close', () => resolve()))
}

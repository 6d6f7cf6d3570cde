import { isoNow } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Acknowledgement } from '../../shared/schemas/envelope.ts'
import type { Running } from '../../shared/schemas/update.ts'
import { topicOf } from '../../shared/topics.ts'
import type { Deps } from '../deps.ts'
import {
  type DesiredPorts,
  makeDesired,
  makeEnrolServer,
  makePresence,
  makeReissue,
  makeRequests,
  openAuthority,
  revokedCertificates,
} from '../fleet/index.ts'
import { makeIngest, makeRetention } from '../ingest/index.ts'
import { makeAedesBroker, type TlsMaterial } from '../link/index.ts'
import { makeGathered } from '../store/gathered.ts'
import type { Sql } from '../store/port.ts'
import { makeDownloads, noteRunning } from '../updates/index.ts'
import { agentConnections } from './agent-connections.ts'
import { makeFleetAlerts } from './fleet-alerts.ts'

type Rooms = Omit<DesiredPorts, 'publish'> & {
  /** Names of the projectors: no record is deleted before all of them read it. */
  workers: readonly string[]
}

/** Link, ingest and fleet put together: everything between the agents and the store. `parts` stand in the order to start. */
export async function makeCentre(deps: Deps, { workers, ...composers }: Rooms) {
  const { config, store, bus, clock, log, dataDir } = deps
  const authority = await openAuthority(dataDir)

  /** What the TLS server needs, with the revocation list as the database has it now. */
  const tlsMaterial = async (): Promise<TlsMaterial> => ({
    key: authority.serverKey,
    cert: authority.serverCert,
    ca: authority.caPem,
    crl: await authority.revocationList(await revokedCertificates(store, isoNow(clock)), clock.now()),
  })
  const { waitSeconds, ...admission } = config.mqtt.admission
  const broker = makeAedesBroker({
    listen: config.mqtt,
    tls: await tlsMaterial(),
    clock,
    log,
    admission: { ...admission, waitMs: waitSeconds * 1000 },
  })
  const publish = (agent: string, name: 'plan' | 'blocks' | 'request' | 'ack', message: unknown) =>
    broker.publish(topicOf(agent, name), JSON.stringify(message), { retain: name === 'plan' || name === 'blocks' })
  const acknowledge = (agent: string, ack: Acknowledgement): void =>
    void publish(agent, 'ack', { ...ack, at: isoNow(clock) }).catch((error) =>
      log.warn({ agent, why: wordsOf(error) }, 'an acknowledgement was not sent; the agent will ask'),
    )

  const ingest = makeIngest({ ...deps, acknowledge })
  const desired = makeDesired(deps, authority, { ...composers, publish })
  const requests = makeRequests(deps, authority, (agent, request, signal) =>
    broker.listening(agent, signal).then(() => publish(agent, 'request', request)),
  )
  const write = makeGathered(store)
  const presence = makePresence({
    ...deps,
    write,
    silentSeconds: config.alerts.silentAgentSeconds,
    connected: broker.connected,
    listens: broker.listens,
    door: broker.arrivals,
  })
  const alerts = makeFleetAlerts(deps)
  const downloads = makeDownloads(deps)
  const enrolment = makeEnrolServer(deps, authority, { ...alerts, enrolled: closeOld, routes: downloads.routes })
  const runs = (sql: Sql, agent: string, said: Running) => noteRunning(sql, agent, isoNow(clock), said)
  broker.handle(
    agentConnections(deps, { write, ingest, desired, presence, acknowledge, onReply: requests.accept, runs, alerts }),
  )

  /** After certificates of the agent ended in the database: who is connected has to show one that is good. */
  async function closeOld(agent: string): Promise<void> {
    downloads.end(agent)
    await broker.disconnect(agent, 'its certificate ended')
    broker.useTls(await tlsMaterial())
  }

  /** After the agent was revoked in the database: its connection ends now, its certificate at the next handshake. */
  async function cutOff(agent: string): Promise<void> {
    await closeOld(agent)
    for (const name of ['plan', 'blocks', 'presence'] as const)
      await broker.publish(topicOf(agent, name), '', { retain: true })
    log.warn({ agent }, 'cut off a revoked agent')
    bus.emit({ name: 'presence', agent, status: 'offline' })
  }

  return {
    authority,
    broker,
    requests,
    enrolment,
    cutOff,
    parts: [
      ingest,
      presence,
      broker,
      desired,
      makeReissue({ ...deps, desired }),
      enrolment,
      makeRetention(deps, workers),
    ],
  }
}

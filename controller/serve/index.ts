import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Part, startAll } from '../../shared/lifecycle.ts'
import { alertParts, makeStateProjector, raiseRefusal } from '../alerts/index.ts'
import { routesFor } from '../api/routes/index.ts'
import { makeApi } from '../api/server.ts'
import { makeAttackerProjector, makeHistoryRetention } from '../attackers/index.ts'
import { auditMacsIn, makeAuditProjector, makeConductor, makeTouchProjector, ownLooks } from '../audit/index.ts'
import { forgottenNetworks, makeBaselineProjector, makeBaselineRetention, watchedNetworks } from '../baselines/index.ts'
import { readConfig } from '../config.ts'
import {
  composePlan,
  type DecoyActions,
  decoyAddressesIn,
  makeDecoyActions,
  makeDecoyStateProjector,
  makePlacement,
  makeUndo,
} from '../decoys/index.ts'
import type { Deps } from '../deps.ts'
import { isDoubtful, makeDetector, makeStreamProjector } from '../detection/index.ts'
import { driftsOfAgent, makeDriftExpiry } from '../drift/index.ts'
import { plannedSegments, standingProjector } from '../fleet/index.ts'
import { makeHoneyProjector } from '../honey/index.ts'
import { makeMimicryProjector, patternsForPlan } from '../mimicry/index.ts'
import { enforcementProjector, makeBlocks, makeExpiry, makeResponder } from '../response/index.ts'
import { makeRiskJudge, makeRiskProjector } from '../risk/index.ts'
import { makeInventoryProjector } from '../segments/index.ts'
import { makeSessionProjector } from '../sessions/index.ts'
import type { Sql } from '../store/port.ts'
import { openSqlite } from '../store/sqlite.ts'
import { composeUpdate, makeReleaseSweep, makeRolloutConductor, makeUpdateProjector } from '../updates/index.ts'
import { makeBus } from '../work/bus.ts'
import type { Projector } from '../work/port.ts'
import { makeRunner } from '../work/runner.ts'
import { adaptationOf } from './adaptation.ts'
import { makeCentre } from './centre.ts'
import { databaseIn, migrations } from './database.ts'
import { makeAgedRetention } from './retention.ts'
import { startFailure } from './start-failure.ts'
import { noticeToAlert, unmadeToAlert } from './to-alerts.ts'
import { touchWay } from './touch-way.ts'

export type ServeOptions = Pick<Deps, 'dataDir' | 'clock' | 'random' | 'log'>
export type Serving = { deps: Deps; ports: { mqtt: number; enrol: number }; stop(): Promise<void> }

export const socketIn = (dataDir: string) => join(dataDir, 'api.sock')

/**
 * Runs a controller: the composition root.
 *
 *   agents -> link -> ingest -> store -> projectors, in order -> crossings of risk -> alerts, responses
 *                                                                                        |
 *   agents <- link <- fleet: signed documents <------ plan-changed, blocks-changed ------+-- placement
 *
 * Throws what configuration, keys, database or ports say; nothing is left running then.
 */
export async function serve(options: ServeOptions): Promise<Serving> {
  try {
    return await start(options)
  } catch (error) {
    throw startFailure(error, options.dataDir)
  }
}

async function start({ dataDir, clock, random, log }: ServeOptions): Promise<Serving> {
  const config = readConfig(dataDir)
  const store = openSqlite(databaseIn(dataDir), migrations)
  const deps: Deps = { config, dataDir, store, bus: makeBus(), clock, random, log }
  try {
    const actions = makeDecoyActions(deps)
    const adaptation = adaptationOf(deps, actions)
    const projectors = [...projectorsOf(deps, actions), adaptation.projector] as readonly Projector[]
    const blocks = makeBlocks(deps)
    const centre = await makeCentre(deps, {
      composePlan: async (sql, agent) => ({
        ...(await composePlan(sql, agent, {
          config,
          neverBlock: (sql) => blocks.neverBlockFor(sql, agent),
          drifts: driftsOfAgent,
          watched: watchedNetworks,
          forgotten: forgottenNetworks,
          patterns: patternsForPlan,
        })),
        ...(await composeUpdate(sql, agent)),
      }),
      composeBlocks: blocks.composeBlocks,
      unmade: unmadeToAlert(deps),
      workers: projectors.map(({ name }) => name),
    })
    const { authority, broker, enrolment, requests, cutOff } = centre
    const enrolPort = () => enrolment.address().port
    const routes = routesFor({ caFingerprint: authority.caFingerprint, enrolPort, cutOff, arrivals: broker.arrivals })
    const parts: Part[] = [
      makeRunner(projectors, deps),
      ...alertParts(deps),
      makeResponder(deps, blocks, { ...actions, refused: raiseRefusal(deps) }),
      makeExpiry(deps, blocks, makeUndo(actions)),
      makeDriftExpiry(deps),
      ...adaptation.parts,
      ...centre.parts,
      makeHistoryRetention(deps),
      makeAgedRetention(deps),
      makeBaselineRetention(deps),
      makeDetector({ ...deps, judgeRisk: makeRiskJudge(deps) }),
      makePlacement({ ...deps, actions, planned: plannedSegments, notify: noticeToAlert(deps) }),
      makeConductor({ ...deps, requests }),
      makeReleaseSweep(deps),
      makeRolloutConductor(deps),
      makeApi(routes, { ...deps, requests }, await listenFor(deps, authority)),
    ]
    const halt = new AbortController()
    const stopAll = await startAll(parts, halt.signal, log)
    return {
      deps,
      ports: { mqtt: broker.port(), enrol: enrolPort() },
      async stop() {
        halt.abort()
        await stopAll()
        await store.close()
      },
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** In the order of what relies on what. */
const projectorsOf = (deps: Deps, actions: DecoyActions) =>
  [
    makeInventoryProjector({ clock: deps.clock, decoysIn: ownAddressesIn }),
    makeDecoyStateProjector({ peers: deps.config.mimicry.level !== 'off' && deps.config.mimicry.peers }),
    makeSessionProjector(ownLooks),
    makeAttackerProjector(),
    makeHoneyProjector(deps),
    makeRiskProjector(deps),
    enforcementProjector,
    standingProjector,
    makeStateProjector(deps),
    makeAuditProjector({ ...deps, actions }),
    makeTouchProjector(deps, touchWay(deps)),
    makeBaselineProjector({ ...deps, isDoubtful }),
    makeMimicryProjector(),
    makeStreamProjector(),
    makeUpdateProjector(deps),
  ] as readonly Projector[]

/** Decoys, and the places that audits looked from. */
async function ownAddressesIn(sql: Sql, segment: string) {
  const { macs, ips } = await decoyAddressesIn(sql, segment)
  return { macs: new Set([...macs, ...(await auditMacsIn(sql, segment))]), ips }
}

async function listenFor({ dataDir, config }: Deps, authority: { serverKey: string; serverCert: string }) {
  const socket = socketIn(dataDir)
  const { host, port } = config.api
  if (port === undefined) return { socket }
  const token = (await readFile(join(dataDir, 'api-token'), 'utf8')).trim()
  return { socket, remote: { host, port, key: authority.serverKey, cert: authority.serverCert, token } }
}

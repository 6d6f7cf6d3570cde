import { hostname } from 'node:os'
import { join } from 'node:path'
import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { Reply, Request } from '../../shared/schemas/desired-state.ts'
import { type StreamName, streamNames } from '../../shared/schemas/envelope.ts'
import type { Hardware } from '../../shared/schemas/hardware.ts'
import type { LogRing } from '../care/log-ring.ts'
import { type AgentConfig, agentVersion } from '../config.ts'
import { type Identity, makeRenewal, serverError } from '../enrol/index.ts'
import { type Link, makeLink } from '../link/index.ts'
import { makeSpool, type Report } from '../spool/index.ts'
import type { OpenedUpdates } from '../updates/index.ts'
import { segmentCards } from './cards.ts'
import { careRoom } from './care-room.ts'
import { makeConsoleRoom } from './console-room.ts'
import { decoyRooms, makeEngineOnce } from './decoy-rooms.ts'
import { lookOf } from './look.ts'
import { type AgentStatus, makeStatusSocket } from './status-socket.ts'
import { type Supervised, supervised } from './supervised.ts'
import { makeUpdateRoom } from './update-room.ts'

export type AgentDeps = {
  stateDir: string
  config: AgentConfig
  /** Of the configuration, as `configHash` makes it. */
  configured: string
  identity: Identity
  clock: Clock
  random: Random
  log: Log
  /** Where the last lines of `log` stand. */
  ring: LogRing
  hardware: Hardware
  updates: OpenedUpdates
  /** The controller turned down the certificate of this identity. */
  onRefused(identity: Identity): void
}

type Answer = Pick<Reply, 'ok' | 'result' | 'error'>

/**
 * The agent put together: its parts, in the order they start.
 *
 *   status, spool, renewal, link, updates (these must start) -> blocks, health; scan, decoys, sessions where it has decoys (each tried again by itself)
 */
export function composeAgent(deps: AgentDeps): Part[] {
  const { stateDir, config, identity, clock, random, log } = deps
  const startedAt = isoNow(clock)
  const limitBytes = config.spool.limitMb * 1_048_576
  const spool = makeSpool({ folder: join(stateDir, 'spool'), clock, log: log.child({ room: 'spool' }) }, { limitBytes })
  const report: Report = (stream, records, positions) => spool.append(stream, records, positions)
  const roomDeps = (room: string) => ({ clock, random, log: log.child({ room }) })
  const keepsDecoys = identity.roles.includes('decoys')
  const engine = makeEngineOnce({ config, identity, clock, random, log: log.child({ room: 'engine' }) })
  /** Milliseconds this clock is ahead of the controller's, by the last request or acknowledgement that came. */
  let clockOffsetMs: number | undefined
  const compare = (controllerMs: number): void => {
    clockOffsetMs = clock.now() - controllerMs
  }

  const blocks = supervised(
    'blocks',
    async () => {
      const { makeBlocks } = await import('../blocks/index.ts')
      return makeBlocks({
        report,
        clock,
        log: log.child({ room: 'blocks' }),
        role: identity.roles.includes('enforcer') ? 'enforcer' : 'decoys',
        nics: async () => segmentCards(config.nics).map(({ name }) => name),
        stateDir,
        reconcileEverySeconds: config.blocks.reconcileEverySeconds,
      })
    },
    {
      ...roomDeps('blocks'),
      onStarted: (room) => {
        const held = link.held().blocks
        if (held) room.applyBlocks(held)
      },
    },
  )

  const health = supervised(
    'health',
    async () => {
      const rooms = await import('../health/index.ts')
      const probes = [
        rooms.makeCpuProbe(),
        rooms.memoryProbe,
        rooms.temperatureProbe,
        rooms.makeDiskProbe(stateDir),
        rooms.makeClockProbe(() => clockOffsetMs),
        rooms.makePackagesProbe(clock),
        rooms.makeSpoolProbe(spool, limitBytes),
        rooms.makeLinkProbe(link),
        rooms.makePageProbe(() => consoleRoom.page()),
        ...(keepsDecoys
          ? [
              rooms.makeDockerProbe(async () => (await engine()).ping()),
              rooms.makePageSharingProbe({ stateDir }),
              rooms.makeCaptureProbe(() => appliance?.capture()?.standing()),
            ]
          : []),
      ]
      const { everySeconds } = config.health
      return rooms.makeHealth({ report, clock, log: log.child({ room: 'health' }), probes, everySeconds })
    },
    roomDeps('health'),
  )

  const appliance = keepsDecoys
    ? decoyRooms({ ...deps, engine, spool, report, heldPlan: () => link.held().plan })
    : undefined
  const rooms: Supervised<Part>[] = [blocks, health, ...(appliance?.rooms ?? [])]

  const updates = makeUpdateRoom({
    ...{ stateDir, config, identity, opened: deps.updates, report, engine, ...roomDeps('updates') },
    credentials: () => renewal.current(),
    look: () => lookOf({ link: link.standing(), startedAt, rooms, decoys: appliance?.decoys() ?? [] }),
    heldUpdate: () => link.held().plan?.update,
  })

  async function answer(asked: Request): Promise<Answer> {
    compare(Date.parse(asked.issuedAt))
    switch (asked.op.name) {
      case 'ping':
        return { ok: true, result: { version: agentVersion, rssMb: rssMb() } }
      case 'scan':
      case 'scan.cancel':
      case 'full-picture': {
        const scanner = appliance?.scanner()
        if (!scanner) return refused(new MarshlightError('NO_SUCH_METHOD', { port: 'this agent', what: asked.op.name }))
        try {
          return { ok: true, result: await scanner.request(asked.op, asked.id) }
        } catch (error) {
          return refused(error)
        }
      }
      case 'capture': {
        const capture = appliance?.capture()
        if (!capture) return refused(new MarshlightError('NO_SUCH_METHOD', { port: 'this agent', what: asked.op.name }))
        return { ok: true, result: await capture.fetch(asked.op) }
      }
      case 'audit':
      case 'touch': {
        const audits = await appliance?.audits()
        if (!audits) return refused(new MarshlightError('NO_SUCH_METHOD', { port: 'this agent', what: asked.op.name }))
        return asked.op.name === 'audit' ? audits.audit(asked.op, asked.id) : audits.touch(asked.op)
      }
      default:
        return { ok: true, result: await care.answer(asked.op) }
    }
  }

  const renewal = makeRenewal({
    stateDir,
    identity,
    ...roomDeps('enrol'),
    proxy: config.proxy,
    hardware: deps.hardware,
    reconnect: () => link.reconnect(),
  })
  const link: Link = makeLink({
    identity,
    credentials: {
      ...renewal,
      async refused(shown) {
        deps.onRefused(shown)
        await renewal.refused(shown)
      },
    },
    checkServer: serverError,
    proxy: config.proxy,
    folder: join(stateDir, 'documents'),
    spool,
    report,
    handlers: {
      onPlan(plan) {
        appliance?.applyPlan(plan)
        updates.apply(plan.update)
      },
      onBlocks: (list) => blocks.current()?.applyBlocks(list),
      onRequest: answer,
      onTime: compare,
    },
    ...roomDeps('link'),
    about: {
      ...{ version: agentVersion, hostname: hostname(), hardware: deps.hardware, config: deps.configured },
      running: deps.updates.running,
    },
  })

  const standing = { held: () => link.held(), status: () => status() }
  const care = careRoom({ ...deps, ...standing, spool, report, ...(keepsDecoys && { engine }) })

  const status = (): AgentStatus => ({
    agent: identity.agent,
    name: identity.name,
    roles: identity.roles,
    version: agentVersion,
    pid: process.pid,
    startedAt,
    rssMb: rssMb(),
    controller: `${identity.mqtt.host}:${identity.mqtt.port}`,
    certificateExpiresAt: renewal.standing().expiresAt,
    renewal: renewal.standing(),
    link: link.standing(),
    rooms: Object.fromEntries(rooms.map((room) => [room.name, room.standing()])),
    updates: updates.standing(),
    planRevision: link.held().plan?.revision ?? 0,
    blocksRevision: link.held().blocks?.revision ?? 0,
    spool: {
      mb: Math.round((spool.bytes() / 1_048_576) * 10) / 10,
      written: ofStreams((name) => spool.standing(name).next),
      waiting: ofStreams((name) => spool.standing(name).next - spool.standing(name).acknowledged),
    },
  })
  const consoleRoom = makeConsoleRoom({ ...deps, log: log.child({ room: 'console' }), status })

  return [
    makeStatusSocket(stateDir, status),
    consoleRoom,
    spool,
    renewal,
    link,
    updates,
    ...(appliance ? [appliance.auditPart] : []),
    care,
    ...rooms,
  ]
}

const ofStreams = (figure: (name: StreamName) => number) =>
  Object.fromEntries(streamNames.map((name) => [name, figure(name)]))

const refused = (error: unknown): Answer => ({
  ok: false,
  error: {
    code: error instanceof MarshlightError ? error.code : 'SCAN_FAILED',
    message: wordsOf(error).slice(0, 1024),
  },
})

const rssMb = (): number => Math.round(process.memoryUsage.rss() / 1_048_576)

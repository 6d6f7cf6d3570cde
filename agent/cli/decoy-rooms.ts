import { getServers } from 'node:dns'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import type { Audits } from '../audit/index.ts'
import { makeOwnLooks } from '../audit/own-looks.ts'
import type { Engine } from '../engine/port.ts'
import type { Report, Spool } from '../spool/index.ts'
import { segmentCards, segmentNics } from './cards.ts'
import type { AgentDeps } from './compose.ts'
import { makeMimicryRoom } from './mimicry-room.ts'
import { type Supervised, supervised } from './supervised.ts'
import { imagesHere } from './update-room.ts'

/** One engine for all who need it; dockerode is imported when the first of them asks. */
export function makeEngineOnce(deps: Pick<AgentDeps, 'config' | 'identity' | 'clock' | 'random'> & { log: Log }) {
  let engine: Promise<Engine> | undefined
  return (): Promise<Engine> => {
    engine ??= import('../engine/index.ts').then(({ makeDockerEngine }) =>
      makeDockerEngine({
        socket: deps.config.docker.socket,
        agentLabel: deps.identity.agent,
        log: deps.log,
        clock: deps.clock,
        random: deps.random,
      }),
    )
    return engine
  }
}

/**
 * What only an appliance has: scans, decoys, and the reading of their events.
 *
 *   plan -> scan -> spool
 *   plan -> decoys -> sources() -> sessions -> spool
 *                  -> pods() -> capture -> spool
 */
export function decoyRooms(
  deps: AgentDeps & { engine: () => Promise<Engine>; spool: Spool; report: Report; heldPlan: () => Plan | undefined },
) {
  const { config, identity, stateDir, clock, random, spool, report } = deps
  const roomDeps = (room: string) => ({ clock, random, log: deps.log.child({ room }) })
  /** A room that works by the plan has the one that is held from its start. */
  const planned = (name: string) => ({
    ...roomDeps(name),
    onStarted: (room: { applyPlan(plan: Plan): void }) => {
      const held = deps.heldPlan()
      if (held) room.applyPlan(held)
    },
  })

  const decoys = supervised(
    'decoys',
    async () => {
      const { makeArp, makeDecoys } = await import('../decoys/index.ts')
      const common = roomDeps('decoys')
      const engine = await deps.engine()
      const images = await imagesHere(engine, config, deps.updates.images, common.log)
      return makeDecoys({
        ...common,
        engine,
        arp: makeArp(common),
        report,
        stateDir,
        images: { ...images, archives: config.imageArchives },
        running: deps.updates.running(),
        nics: () => segmentNics(config.nics),
        agent: identity.agent,
      })
    },
    planned('decoys'),
  )

  const sessions = supervised(
    'sessions',
    async () => {
      const { makeSessions } = await import('../sessions/index.ts')
      return makeSessions({
        spool,
        log: deps.log.child({ room: 'sessions' }),
        clock,
        decoys: () => decoys.current()?.sources() ?? [],
        release: async (decoy) => decoys.current()?.release(decoy),
        stateDir,
      })
    },
    roomDeps('sessions'),
  )

  const safety = supervised(
    'safety',
    async () => {
      const { makeSafety } = await import('../safety/index.ts')
      return makeSafety({
        ...roomDeps('safety'),
        engine: await deps.engine(),
        report,
        decoys: () => decoys.current()?.standing() ?? [],
        takeDown: async (decoy, reason) => decoys.current()?.takeDown(decoy, reason),
        everySeconds: config.safety.everySeconds,
      })
    },
    roomDeps('safety'),
  )

  const mimicry = supervised(
    'mimicry',
    async () =>
      makeMimicryRoom({ ...roomDeps('mimicry'), ...deps, standing: () => decoys.current()?.standing() ?? [] }),
    planned('mimicry'),
  )

  const ownLooks = makeOwnLooks({ clock })
  const capture = supervised(
    'capture',
    async () => {
      const { makeCapture } = await import('../capture/index.ts')
      return makeCapture({
        ...roomDeps('capture'),
        report,
        spool,
        stateDir,
        pods: () => decoys.current()?.pods() ?? [],
        isOwnLook: ownLooks.isOwn,
      })
    },
    planned('capture'),
  )

  const scan = supervised(
    'scan',
    async () => {
      const { defaultNicFilter, makeScanner } = await import('../scan/index.ts')
      const { nics } = config
      return makeScanner({
        ...roomDeps('scan'),
        report,
        ownDecoys: () => decoys.current()?.ownAddresses() ?? [],
        nicFilter: nics.length > 0 ? (name: string) => nics.includes(name) : defaultNicFilter,
        stateDir,
      })
    },
    planned('scan'),
  )

  const timing = supervised(
    'timing',
    async () => {
      const { makeTiming } = await import('../timing/index.ts')
      return makeTiming({
        ...roomDeps('timing'),
        report,
        nics: async () =>
          segmentCards(config.nics).map(({ name, ip, mac, cidr }) => ({ nic: name, address: ip, mac, cidr, dns: [] })),
        hosts: () => scan.current()?.hosts() ?? [],
        ownDecoys: () => decoys.current()?.ownAddresses() ?? [],
      })
    },
    planned('timing'),
  )

  const hearing = supervised(
    'hearing',
    async () => {
      const [{ makeHearing }, { startCardDump }] = await Promise.all([
        import('../hearing/index.ts'),
        import('../capture/index.ts'),
      ])
      return makeHearing({
        ...roomDeps('hearing'),
        report,
        stateDir,
        nics: async () => segmentCards(config.nics).map(({ name, mac, cidr }) => ({ nic: name, mac, cidr })),
        ownDecoys: () => [...(decoys.current()?.ownAddresses() ?? []), ...ownLooks.macs().map((mac) => ({ mac }))],
        listen: startCardDump,
        onConversations: async (cidr, conversations, span) => {
          await mimicry.current()?.seen.add(cidr, conversations, span)
        },
      })
    },
    planned('hearing'),
  )

  /** Made when the first audit is asked for: what looks is a process of its own, here is only who starts it. */
  let audits: Promise<Audits> | undefined
  const makeAuditsOnce = async (): Promise<Audits> => {
    const [{ makeAudits, makePlaces }, { makeArp }, { reverseDns }] = await Promise.all([
      import('../audit/index.ts'),
      import('../decoys/index.ts'),
      import('../scan/index.ts'),
    ])
    const common = roomDeps('audit')
    const arp = makeArp(common)
    return makeAudits({
      ...common,
      plan: deps.heldPlan,
      nics: () => segmentNics(config.nics),
      whoHas: arp.check,
      namesOf: (ips) => reverseDns(ips, getServers()),
      runJob: makePlaces(common),
      looking: ownLooks.begun,
      report,
    })
  }
  const auditsNow = (): Promise<Audits> => {
    audits ??= makeAuditsOnce()
    return audits
  }
  const auditPart: Part = {
    name: 'audits',
    start: async () => undefined,
    stop: async () => (await audits)?.stop(),
  }

  return {
    /** Ends what audits have under way. */
    auditPart,
    audits: auditsNow,
    /** Sessions stop before decoys and start after them. */
    rooms: [scan, decoys, capture, sessions, safety, mimicry, timing, hearing] satisfies Supervised<Part>[],
    applyPlan(plan: Plan): void {
      scan.current()?.applyPlan(plan)
      decoys.current()?.applyPlan(plan)
      capture.current()?.applyPlan(plan)
      timing.current()?.applyPlan(plan)
      mimicry.current()?.applyPlan(plan)
      hearing.current()?.applyPlan(plan)
    },
    /** Decoys of the plan, as they stand. */
    decoys: () => decoys.current()?.list() ?? [],
    /** The captures, while they run. */
    capture: () => capture.current(),
    /** The scanner, while it runs. */
    scanner: () => scan.current(),
    /** Addresses and MACs of own decoys: not hosts. */
    ownAddresses: () => decoys.current()?.ownAddresses() ?? [],
  }
}

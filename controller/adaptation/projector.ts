import type { Deps } from '../deps.ts'
import { type Counted, firstSeen } from '../sessions/index.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent, Projector } from '../work/port.ts'
import type { AdaptationPorts } from './ports.ts'
import { unlessRefused, type Views } from './views.ts'
import {
  addDeeds,
  countDeed,
  type Deeds,
  endVisit,
  type Face,
  isNewer,
  isPresence,
  lastVisit,
  noDeeds,
  openVisit,
  showsTerminal,
  type Visit,
} from './visits.ts'

/** What came later than this after it happened is past: its source was given nothing, and is no part of the comparison. */
const lateMs = 600_000

/** What a batch tells of one source at one decoy with one face. */
type Part = {
  source: string
  decoy: string
  face: Face
  /** At which he is first seen. */
  service: string
  firstAt?: string
  lastAt: string
  seenAt: string
  terminal: boolean
  deeds: Deeds
}

/**
 * Turns events into visits, and gives whoever begins one his view of the decoy. Runs after sessions.
 *
 *   events that are new --by source and decoy--> the open visit, or greet() and a new one --> its deeds
 */
export function makeAdaptationProjector(
  { config, clock }: Pick<Deps, 'config' | 'clock'>,
  views: Views,
  ports: Pick<AdaptationPorts, 'isExempt' | 'wasSetByHand'>,
): Projector<'events'> {
  const { enabled, idleMinutes } = config.adaptation
  const idleMs = idleMinutes * 60_000

  async function project(sql: Sql, part: Part, agents: Set<string>): Promise<void> {
    const { source, decoy, deeds, terminal, seenAt } = part
    const last = await lastVisit(sql, source, decoy)
    const visit =
      part.firstAt === undefined ? last : await visitFor(sql, last, { ...part, firstAt: part.firstAt }, agents)
    if (!visit) return
    const lastAt = part.firstAt === undefined ? visit.last_at : part.lastAt
    await addDeeds(sql, visit.id, deeds, {
      lastAt,
      seenAt: part.firstAt === undefined ? visit.seen_at : seenAt,
      terminal,
    })
  }

  async function visitFor(
    sql: Sql,
    last: Visit | undefined,
    { source, decoy, firstAt, seenAt, face, service }: Part & { firstAt: string },
    agents: Set<string>,
  ): Promise<Visit | undefined> {
    if (last && last.ended_at === null) {
      if (Date.parse(firstAt) - Date.parse(last.last_at) <= idleMs && !isNewer(face, last)) return last
      await endVisit(sql, last, seenAt, ports)
    }
    if (Date.parse(seenAt) - Date.parse(firstAt) > lateMs) return undefined
    if (!(await sql.get("SELECT 1 AS one FROM decoys WHERE id = ? AND status = 'wanted'", decoy))) return undefined
    const where = { source, decoy, nowMs: clock.now(), service }
    const greeted = await unlessRefused(sql, () => views.greet(sql, where), undefined)
    if (!greeted) return undefined
    for (const agent of greeted.agents) agents.add(agent)
    const { assignment } = greeted
    return openVisit(sql, { assignment, source, decoy, at: firstAt, seenAt, idleMs, service, face })
  }

  return {
    name: 'adaptation',
    streams: ['events'],
    async project(sql, records) {
      if (!enabled) return []
      const agents = new Set<string>()
      const isExempt = await ports.isExempt(sql)
      for (const part of partsOf(await firstSeen(sql, records)))
        if (!isExempt(part.source, part.decoy, Date.parse(part.lastAt))) await project(sql, part, agents)
      return agents.size === 0 ? [] : [{ name: 'plan-changed', agents: [...agents].sort() } satisfies BusEvent]
    },
  }
}

function partsOf(all: readonly Counted[]): Part[] {
  const parts = new Map<string, Part>()
  for (const { stored, source } of all) {
    if (source === undefined) continue
    const { record: event, receivedAt: seenAt } = stored
    const key = `${source} ${event.decoy} ${event.persona} ${event.personaVersion}`
    const part: Part = parts.get(key) ?? {
      ...{ source, decoy: event.decoy, lastAt: event.at, seenAt, service: event.service },
      face: { persona: event.persona, persona_version: event.personaVersion },
      ...{ terminal: false, deeds: noDeeds() },
    }
    parts.set(key, part)
    countDeed(part.deeds, event)
    part.terminal ||= showsTerminal(event)
    part.seenAt = seenAt
    if (event.at > part.lastAt) part.lastAt = event.at
    if (!isPresence(event) || (part.firstAt !== undefined && event.at >= part.firstAt)) continue
    part.firstAt = event.at
    part.service = event.service
  }
  return [...parts.values()]
}

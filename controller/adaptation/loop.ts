import { isoNow } from '../../shared/clock.ts'
import type { Part } from '../../shared/lifecycle.ts'
import { makeRounds } from '../../shared/rounds.ts'
import type { Deps } from '../deps.ts'
import { readPersona } from '../personas/index.ts'
import type { Sql } from '../store/port.ts'
import { adaptPersona, type Shown } from './adapt-persona.ts'
import { assignmentOf, lastChange, madeSince, noteChange } from './assignments.ts'
import { linesBetween } from './conduct.ts'
import { interactionOf } from './interaction.ts'
import type { AdaptationPorts } from './ports.ts'
import { judge } from './rails.ts'
import { unlessRefused, type Views, type Where } from './views.ts'
import { endVisit, type Visit } from './visits.ts'

const mostAtOnce = 50
const hourMs = 3_600_000

/**
 * Looks at visits: what somebody does changes what he meets, and when he has gone, it is learned from.
 *
 *   visits with news --adaptPersona--> rails --> his view, the decoy's persona
 *   visits without news for so long --endVisit--> engagement, beliefs
 *
 * All state is in the database; a visit that ended while nobody ran is learned from at the next start.
 */
export function makeAdaptation(
  deps: Pick<Deps, 'store' | 'bus' | 'clock' | 'config' | 'log'>,
  views: Views,
  ports: AdaptationPorts,
): Part & { look(): Promise<void> } {
  const { store, bus, clock, config, log } = deps
  const rules = config.adaptation
  const everyMs = Math.min(5000, rules.idleMinutes * 15_000)

  async function look(): Promise<void> {
    if (!rules.enabled) return withdraw()
    const idle = new Date(clock.now() - rules.idleMinutes * 60_000).toISOString()
    const agents = new Set<string>()
    await store.tx(async (sql) => {
      for (const visit of await withNews(sql, idle))
        for (const agent of await unlessRefused(sql, () => adapt(sql, visit, false), [])) agents.add(agent)
      for (const visit of await gone(sql, idle)) {
        for (const agent of await unlessRefused(sql, () => adapt(sql, visit, true), [])) agents.add(agent)
        await endVisit(sql, visit, isoNow(clock), ports)
      }
    })
    if (agents.size > 0) bus.emit({ name: 'plan-changed', agents: [...agents].sort() })
  }

  async function adapt(sql: Sql, visit: Visit, left: boolean): Promise<string[]> {
    const { id, source, decoy, seen_at, service } = visit
    await sql.run('UPDATE adaptation_visits SET looked_at = ? WHERE id = ?', seen_at, id)
    const assignment = await assignmentOf(sql, visit.assignment)
    // The control group meets what it was given, whatever it does.
    if (!assignment || assignment.grp === 'control') return []
    const did = await linesBetween(sql, { source, decoy, from: visit.opened_at, to: visit.last_at })
    const interaction = interactionOf({
      arm: assignment.shown,
      seconds: (Date.parse(visit.last_at) - Date.parse(visit.opened_at)) / 1000,
      left,
      inside: visit.successes > 0,
      cameBack: visit.returned === 1,
      errors: visit.errors,
      felt: visit.felt,
      ...did,
    })
    const wanted = adaptPersona(await personaOf(sql, decoy), interaction)
    if (!wanted) return []
    const where = { source, decoy, nowMs: clock.now(), service }
    const agents = wanted.drift ? await views.move(sql, assignment.id, wanted.drift, where, wanted.because) : []
    if (wanted.persona) agents.push(...(await nextPersona(sql, where, wanted.because)))
    if (agents.length > 0) log.info({ source, decoy, drift: wanted.drift, because: wanted.because }, 'adapted a decoy')
    return agents
  }

  /** By the path that every change of a persona takes; where approval is manual, it waits like any other. */
  async function nextPersona(sql: Sql, { source, decoy, nowMs }: Where, because: string): Promise<string[]> {
    const lastMs = await lastChange(sql, { decoy, kind: 'persona' })
    const madeInLastHour = await madeSince(sql, decoy, new Date(nowMs - hourMs).toISOString())
    const wish = { kind: 'persona', nowMs, madeInLastHour, views: 0, byHand: false } as const
    if (!judge({ ...wish, ...(lastMs !== undefined && { lastMs }) }, rules).ok) return []
    const { agent, what } = await ports.reconfigure(sql, decoy, `adaptation: ${because}`)
    const at = new Date(nowMs).toISOString()
    await noteChange(sql, { at, decoy, source, kind: 'persona', arm: null, because: `${what}: ${because}` })
    return [agent]
  }

  /** Switched off: whoever has a view loses it, and nobody is given another. */
  async function withdraw(): Promise<void> {
    const agents = await store.tx((sql) => views.withdraw(sql, clock.now()))
    if (agents.length > 0) bus.emit({ name: 'plan-changed', agents })
  }

  const rounds = makeRounds({
    name: 'adaptation',
    clock,
    log,
    async round() {
      await look()
      return rules.enabled ? everyMs : hourMs
    },
    failure: 'what attackers do could not be looked at; it tries again',
    afterFailureMs: everyMs,
  })
  return { ...rounds, look }
}

const withNews = (sql: Sql, idle: string) =>
  sql.all<Visit>(
    `SELECT * FROM adaptation_visits WHERE ended_at IS NULL AND seen_at > ? AND (looked_at IS NULL OR looked_at < seen_at)
     ORDER BY seen_at LIMIT ?`,
    idle,
    mostAtOnce,
  )

const gone = (sql: Sql, idle: string) =>
  sql.all<Visit>(
    'SELECT * FROM adaptation_visits WHERE ended_at IS NULL AND seen_at <= ? ORDER BY seen_at, id LIMIT ?',
    idle,
    mostAtOnce,
  )

async function personaOf(sql: Sql, decoy: string): Promise<Shown> {
  const row = await sql.get<{ persona: string; persona_version: number }>(
    'SELECT persona, persona_version FROM decoys WHERE id = ?',
    decoy,
  )
  return (row && (await readPersona(sql, row.persona, row.persona_version))) ?? {}
}

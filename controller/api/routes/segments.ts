import { z } from 'zod'
import { isoNow } from '../../../shared/clock.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { listDecoys, phaseOf } from '../../decoys/index.ts'
import { typedName } from '../../fleet/index.ts'
import {
  differencesOf,
  historyBetween,
  historyOf,
  hostsOf,
  listSegments,
  type MapAttacker,
  type MapInput,
  mixOf,
  type Segment,
  svgMap,
  systemOf,
  textMap,
} from '../../segments/index.ts'
import type { Sql } from '../../store/port.ts'
import { check } from '../body.ts'
import { oneOf } from '../one-of.ts'
import type { ApiDeps, Routes } from '../port.ts'

export type MapSources = {
  /** Sources that touched decoys since then. */
  attackers(sql: Sql, since: string): Promise<MapAttacker[]>
}

const dayMs = 86_400_000
const spans: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: dayMs, w: 7 * dayMs }

/** A point in time: ISO 8601, or a span before now as `90m`, `24h`, `7d`. Throws USAGE. */
export function pointInTime(text: string, now: number): string {
  const [, count, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? []
  const at = count === undefined ? Date.parse(text) : now - Number(count) * (spans[unit ?? ''] ?? 0)
  if (Number.isNaN(at))
    throw new MarshlightError('USAGE', {
      what: `${text} is neither a time (2026-01-31T12:00:00Z) nor a span (24h, 7d)`,
      command: 'marshlight segments diff',
    })
  return new Date(at).toISOString()
}

/** The segment a person means, by name, `site/name` or id. */
export async function segmentFor(sql: Sql, ref: string): Promise<Segment> {
  const named = ({ id, name, site }: Segment) => ({ id, names: [name, `${site}/${name}`] })
  return oneOf(await listSegments(sql), ref, 'segment', named, 'marshlight segments ls')
}

export const makeSegmentRoutes =
  (sources: MapSources): Routes =>
  (app, deps) => {
    const { store, clock } = deps
    app.get('/v1/segments', async () => ({ items: await listSegments(store) }))
    app.get('/v1/segments/:ref', async ({ params }) => {
      const segment = await segmentFor(store, refOf(params))
      const hosts = await hostsOf(store, segment.id)
      return { ...segment, mix: mixOf(hosts), hosts: hosts.map((host) => ({ ...host, system: systemOf(host) })) }
    })
    app.get('/v1/segments/:ref/hosts/:ip', async ({ params }) => {
      const segment = await segmentFor(store, refOf(params))
      const { ip } = check(z.object({ ip: z.ipv4() }), params)
      const host = (await hostsOf(store, segment.id)).find((one) => one.ip === ip)
      if (!host)
        throw new MarshlightError('NOT_FOUND', {
          kind: 'host',
          value: ip,
          command: `marshlight segments show ${typedName(segment)}`,
        })
      return { ...host, system: systemOf(host), history: await historyOf(store, segment.id, ip) }
    })
    app.get('/v1/segments/:ref/diff', async ({ params, query }) => {
      const segment = await segmentFor(store, refOf(params))
      const { since, until } = check(
        z.object({ since: z.string().default('24h'), until: z.string().optional() }),
        query,
      )
      const from = pointInTime(since, clock.now())
      const to = until === undefined ? isoNow(clock) : pointInTime(until, clock.now())
      return {
        segment: segment.name,
        since: from,
        until: to,
        items: differencesOf(await historyBetween(store, segment.id, from, to)),
      }
    })
    app.get('/v1/map', async ({ query }) => {
      const { width } = check(z.object({ width: z.coerce.number().int().min(40).max(400).default(80) }), query)
      const input = await mapOf(deps, sources)
      return { ...input, text: textMap(input, width) }
    })
    app.get('/v1/map.svg', async (_request, reply) => {
      reply.type('image/svg+xml')
      return svgMap(await mapOf(deps, sources))
    })
  }

/** With the attackers that sessions, risk and decisions know of. */
export const segmentRoutes: Routes = makeSegmentRoutes({ attackers: attackersSince })

const refOf = (params: unknown) => check(z.object({ ref: z.string().min(1).max(200) }), params).ref

async function mapOf({ store, clock }: ApiDeps, { attackers }: MapSources): Promise<MapInput> {
  const decoys = await listDecoys(store)
  const segments: MapInput['segments'] = []
  for (const { id, name, cidr, gateway, agents } of await listSegments(store))
    segments.push({
      name,
      ...(cidr !== undefined && { cidr }),
      ...(gateway !== undefined && { gateway }),
      agents: agents.map((agent) => agent.name),
      hosts: (await hostsOf(store, id)).map((host) => ({
        ip: host.ip,
        ...(host.names[0] !== undefined && { name: host.names[0] }),
        system: systemOf(host),
        status: host.status,
      })),
      decoys: decoys
        .filter(({ segment }) => segment === id)
        .map((decoy) => ({ ip: decoy.ip, name: decoy.hostname, phase: phaseOf(decoy) ?? 'waiting' })),
    })
  const at = isoNow(clock)
  return {
    title: 'Marshlight network',
    at: `${at.slice(0, 10)} ${at.slice(11, 19)}Z`,
    segments,
    attackers: await attackers(store, new Date(clock.now() - dayMs).toISOString()),
  }
}

/** Sources of the sessions since then with the decoys they reached, worst first. */
async function attackersSince(sql: Sql, since: string): Promise<MapAttacker[]> {
  const rows = await sql.all<{ source: string; ip: string; score: number | null; blocked: number }>(
    `SELECT s.source, d.ip, (SELECT r.score FROM risk_scores r WHERE r.source = s.source) AS score,
       EXISTS (SELECT 1 FROM decisions b WHERE b.kind = 'block' AND b.status = 'active' AND b.target = s.source || '/32') AS blocked
     FROM sessions s JOIN decoys d ON d.id = s.decoy WHERE s.last_at >= ? AND s.source IS NOT NULL AND s.audit IS NULL
     GROUP BY s.source, d.ip ORDER BY score DESC, s.source LIMIT 400`,
    since,
  )
  const bySource = Map.groupBy(rows, ({ source }) => source)
  // Who is exempt, or long quiet, scores nothing and is no attacker.
  const risky = [...bySource].filter(([, touches]) => Math.round(touches[0]?.score ?? 1) > 0)
  return risky.slice(0, 40).map(([ip, touches]) => ({
    ip,
    ...(typeof touches[0]?.score === 'number' && { score: touches[0].score }),
    blocked: touches[0]?.blocked === 1,
    touched: touches.map((touch) => touch.ip),
  }))
}

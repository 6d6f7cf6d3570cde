import { z } from 'zod'
import { isoNow } from '../../../shared/clock.ts'
import { canonicalCidr } from '../../../shared/network.ts'
import { cidr4, id, ipv4, port } from '../../../shared/schemas/common.ts'
import { factsOfSource, findSource, type Source, techniquesOf } from '../../attackers/index.ts'
import {
  addException,
  coveredBy,
  findException,
  hysteresis,
  isWhollyExempt,
  readExceptions,
  removeException,
  scoresNow,
  shippedEvidence,
  thresholdNames,
} from '../../risk/index.ts'
import { check, isDryRun } from '../body.ts'
import type { Routes } from '../port.ts'

const listQuery = z.object({
  inside: z.stringbool().optional(),
  minScore: z.coerce.number().min(0).max(100).default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(50),
})
const minuteOfDay = z.int().min(0).max(1439)
const exceptionBody = z
  .strictObject({
    cidr: z.union([cidr4, ipv4.transform((ip) => `${ip}/32`)]),
    decoy: id.optional(),
    port: port.optional(),
    fromMinute: minuteOfDay.optional(),
    untilMinute: minuteOfDay.optional(),
    owner: z.string().min(1).max(128),
    reason: z.string().min(1).max(256),
    minutes: z.number().min(1).max(527_040),
  })
  .refine(
    (body) => (body.fromMinute === undefined) === (body.untilMinute === undefined),
    'a window needs both its ends',
  )

export const sourceRoutes: Routes = (app, { store, clock, config }) => {
  const rules = shippedEvidence(config.risk.halfLifeHours)
  const judged = async (sources: readonly string[]) =>
    scoresNow(store, sources, { rules, exceptions: await readExceptions(store, isoNow(clock)), nowMs: clock.now() })

  app.get('/v1/sources', async (request) => {
    const { inside, minScore, limit } = check(listQuery, request.query)
    // The stored score can only have fallen since: what is below the wish there is below it now.
    const rows = await store.all<Source>(
      `SELECT s.* FROM sources s LEFT JOIN risk_scores r ON r.source = s.ip WHERE COALESCE(r.score, 0) >= ?
       AND (? IS NULL OR s.inside = ?) ORDER BY s.last_seen DESC, s.ip LIMIT ?`,
      minScore,
      inside === undefined ? null : 1,
      inside ? 1 : 0,
      limit,
    )
    const scores = await judged(rows.map(({ ip }) => ip))
    const items = rows.map((row) => ({ ...row, score: scores.get(row.ip)?.score ?? 0 }))
    return { items: items.filter(({ score }) => score >= minScore) }
  })

  app.get<{ Params: { ip: string } }>('/v1/sources/:ip', async (request) => {
    const source = await findSource(store, request.params.ip)
    const { ip } = source
    const exceptions = await readExceptions(store, isoNow(clock))
    const score = (await judged([ip])).get(ip) ?? { score: 0, reasons: [] }
    return {
      ...source,
      ...score,
      exempt: isWhollyExempt(exceptions, ip, clock.now()),
      exception: coveredBy(exceptions, { source: ip, atMs: clock.now() })?.id ?? null,
      facts: await factsOfSource(store, ip),
      techniques: await techniquesOf(store, ip),
      crossings: await store.all(
        'SELECT threshold, again, score, at, event_at FROM risk_crossings WHERE source = ? ORDER BY id DESC LIMIT 20',
        ip,
      ),
      decisions: await store.all(
        'SELECT id, kind, target, status, made_at, expires_at FROM decisions WHERE source = ? OR target = ? ORDER BY made_at DESC LIMIT 20',
        ip,
        `${ip}/32`,
      ),
    }
  })

  app.get('/v1/exceptions', async () => ({ items: await readExceptions(store, isoNow(clock)) }))
  app.post('/v1/exceptions', async (request) => {
    const body = check(exceptionBody, request.body)
    const wanted = {
      cidr: canonicalCidr(body.cidr),
      decoy: body.decoy ?? null,
      port: body.port ?? null,
      from_minute: body.fromMinute ?? null,
      until_minute: body.untilMinute ?? null,
      owner: body.owner,
      reason: body.reason,
      expires_at: new Date(clock.now() + body.minutes * 60_000).toISOString(),
    }
    return isDryRun(request.query) ? wanted : store.tx((sql) => addException(sql, clock, wanted))
  })
  app.delete<{ Params: { id: string } }>('/v1/exceptions/:id', async (request) => {
    const one = await findException(store, request.params.id)
    if (!isDryRun(request.query)) await removeException(store, one.id)
    return one
  })

  app.get('/v1/risk/thresholds', async () => ({
    halfLifeHours: config.risk.halfLifeHours,
    autoBlock: config.risk.autoBlock,
    blockMinutes: config.risk.blockMinutes,
    items: thresholdNames.map((name) => ({
      name,
      score: config.risk.thresholds[name],
      againBelow: config.risk.thresholds[name] * hysteresis,
    })),
    evidence: rules,
  }))
}

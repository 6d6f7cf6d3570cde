import type { FeatureName } from '../../shared/schemas/baseline.ts'
import type { MimicryReport } from '../../shared/schemas/mimicry.ts'
import { twoShares } from '../../shared/statistics/index.ts'
import type { Moved } from '../drift/index.ts'
import type { Sql } from '../store/port.ts'
import type { Subject } from './judge.ts'

type Row = Pick<MimicryReport, 'decoy' | 'instance' | 'planned' | 'done' | 'score'> & {
  bounded: number
  moved: string | null
  redrawn: number
  at: string
  appliance: string
  segment: string
}
type Share = { part: number; of: number }

const dayMs = 86_400_000
/** Conversations that a comparison with the plan rests on at least. */
const least = 20
/** As detection names what mimicry measures. */
const names: Record<NonNullable<MimicryReport['moved']>['of'], FeatureName> = {
  request: 'request.size',
  response: 'response.size',
  pause: 'interarrival',
  exchanges: 'request.rate',
}

/**
 * Instances of mimicry by what they tell of themselves against their plan: how many of the planned conversations they had, beside
 * the share of the day before; and how far sizes, pauses and exchanges are from the shape that they are drawn from. An
 * instance that had no time to have what was just planned had it an hour ago as little: the plan runs ahead by minutes.
 */
export async function reportedSubjects(sql: Pick<Sql, 'all'>, since: string): Promise<Subject[]> {
  const dayBefore = new Date(Date.parse(since) - dayMs).toISOString()
  const rows = await sql.all<Row>(
    `SELECT r.decoy, r.instance, r.planned, r.done, r.bounded, r.score, r.moved, r.redrawn, r.at, d.agent AS appliance, d.segment
     FROM mimicry_reports r JOIN decoys d ON d.id = r.decoy WHERE r.at > ? AND d.status = 'wanted' ORDER BY r.at`,
    dayBefore,
  )
  return [...Map.groupBy(rows, ({ decoy, instance }) => `${decoy} ${instance}`).values()].flatMap((own) => {
    const late = own.filter(({ at }) => at > since)
    const [last] = late.slice(-1)
    if (!last) return []
    const { decoy, instance, appliance, segment } = last
    const reported = [
      ...hadOf(
        own.filter(({ at }) => at <= since),
        late,
      ),
      ...shapeOf(last),
    ]
    const subject = { kind: 'mimicry', decoy, instance } as const
    const nothing = { expectation: { profile: {}, untold: new Set<FeatureName>() }, observed: {}, slow: [] }
    return reported.length === 0
      ? []
      : [{ ...nothing, decoy, subject, service: 'mimicry', appliance, segment, reported }]
  })
}

/** Of what was planned, and no bound forbade, so much was not had. */
function hadOf(before: readonly Row[], late: readonly Row[]): Reported[] {
  const [known, seen] = [missedOf(before), missedOf(late)]
  if (Math.min(known.of, seen.of) < least) return []
  const [was, is] = [known.part / known.of, seen.part / seen.of]
  if (is <= was) return []
  const percent = (share: number) => `${Number((100 * share).toPrecision(3))} %`
  const words = `${percent(is)} of what was planned was not had, ${percent(was)} expected`
  const p = twoShares(known.part, known.of, seen.part, seen.of)
  return [{ feature: 'error.share', effect: is - was, p, words, n: seen.of }]
}

const missedOf = (rows: readonly Row[]): Share =>
  rows.reduce((sum, { planned, done }) => ({ part: sum.part + Math.max(0, planned - done), of: sum.of + planned }), {
    part: 0,
    of: 0,
  })

function shapeOf({ score, moved }: Row): Reported[] {
  if (score === undefined || score === null || moved === null) return []
  const { kind, of, n, p } = JSON.parse(moved) as NonNullable<MimicryReport['moved']>
  return [{ feature: names[of], effect: score / 100, p, n, words: `${of} of ${kind} is not as its plan has it` }]
}

/** A move that an instance told itself. */
export type Reported = Moved & { n: number }

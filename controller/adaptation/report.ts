import { type Arm, defaultRules } from '../drift/bandit.ts'
import { type Effect, effectOf } from '../drift/effect.ts'
import type { Sql } from '../store/port.ts'
import type { Group } from './assign.ts'
import { attackerClasses } from './attacker-class.ts'
import type { LeftOut } from './visits.ts'

/** Sources in each of two groups from which an interval says something. */
const leastCompared = 5
const everyone = 'all'

/** What came of an arm, or of a group, for a class. */
export type Outcome = {
  /** How often it was assigned, and to how many sources; visits that they made; visits in which drift was felt. */
  chosen: number
  sources: number
  visits: number
  felt: number
  /** Mean over the sources, each by the mean of its visits: one source is many dependent visits. Null without any. */
  mean: number | null
  /** Against the control group, source by source; undefined where there is nobody to compare with. */
  effect?: Effect
}
/** Of all classes together arms have no effect: each class was given others, and classes differ in engagement. */
export type ClassReport = {
  class: string
  control: Outcome
  /** All who were in the bandit's hands, those for whom it chose none included. */
  adaptive: Outcome
  arms: (Outcome & { arm: Arm })[]
}
/** Visits that nobody is compared by, and those of the control group among them. */
export type LeftOutCount = { why: LeftOut; visits: number; control: number }
export type DriftReport = {
  since: string | null
  all: ClassReport
  classes: ClassReport[]
  leftOut: LeftOutCount[]
}

type Row = { source: string; class: string; grp: Group; arm: Arm; visits: number; felt: number; sum: number }

/**
 * Engagement with drift and without, by intention to treat: a source counts for what it was assigned by lot, whether or
 * not any of it was felt, and whatever its view became since. Visits that have ended only; those that were left out are
 * counted beside.
 */
export async function driftReport(sql: Sql, of: { since?: string; class?: string }): Promise<DriftReport> {
  const rows = await sql.all<Row>(
    `SELECT a.source, a.class, a.grp, a.arm, COUNT(*) AS visits, SUM(CASE WHEN v.felt > 0 THEN 1 ELSE 0 END) AS felt,
       SUM(v.engagement) AS sum
     FROM adaptation_assignments a JOIN adaptation_visits v ON v.assignment = a.id
     WHERE v.engagement IS NOT NULL AND v.ended_at >= ? AND (? = '' OR a.class = ?) GROUP BY a.id ORDER BY a.id`,
    of.since ?? '',
    of.class ?? '',
    of.class ?? '',
  )
  const leftOut = await sql.all<LeftOutCount>(
    `SELECT v.left_out AS why, COUNT(*) AS visits, SUM(CASE WHEN a.grp = 'control' THEN 1 ELSE 0 END) AS control
     FROM adaptation_assignments a JOIN adaptation_visits v ON v.assignment = a.id
     WHERE v.left_out IS NOT NULL AND v.ended_at >= ? AND (? = '' OR a.class = ?) GROUP BY v.left_out ORDER BY v.left_out`,
    of.since ?? '',
    of.class ?? '',
    of.class ?? '',
  )
  const classes = attackerClasses.filter((one) => rows.some((row) => row.class === one))
  return {
    since: of.since ?? null,
    leftOut,
    all: classReport(everyone, rows),
    classes: classes.map((one) =>
      classReport(
        one,
        rows.filter((row) => row.class === one),
      ),
    ),
  }
}

function classReport(name: string, rows: readonly Row[]): ClassReport {
  const control = rows.filter(({ grp }) => grp === 'control')
  const adaptive = rows.filter(({ grp }) => grp === 'adaptive')
  const arms = defaultRules.arms.flatMap((arm) => {
    const given = adaptive.filter((row) => row.arm === arm)
    return given.length === 0 ? [] : [{ arm, ...outcomeOf(given, name === everyone ? [] : control) }]
  })
  return { class: name, control: outcomeOf(control), adaptive: outcomeOf(adaptive, control), arms }
}

function outcomeOf(rows: readonly Row[], control: readonly Row[] = []): Outcome {
  const sum = (of: (row: Row) => number) => rows.reduce((all, row) => all + of(row), 0)
  const [own, others] = [meansOf(rows), meansOf(control)]
  const effect = Math.min(own.length, others.length) >= leastCompared ? effectOf(own, others) : undefined
  return {
    chosen: rows.length,
    sources: own.length,
    visits: sum(({ visits }) => visits),
    felt: sum(({ felt }) => felt),
    mean: own.length === 0 ? null : own.reduce((all, mean) => all + mean, 0) / own.length,
    // Against a group that did nothing at all there is no ratio.
    ...(effect && Number.isFinite(effect.high) && { effect }),
  }
}

/** One voice for each source, however often it came and whatever it was given anew. */
const meansOf = (rows: readonly Row[]): number[] =>
  [...Map.groupBy(rows, ({ source }) => source).values()].map((own) => {
    const [sum, visits] = [own.reduce((all, row) => all + row.sum, 0), own.reduce((all, row) => all + row.visits, 0)]
    return sum / visits
  })

import type { FeatureName } from '../../shared/schemas/baseline.ts'
import type { Drift } from '../../shared/schemas/drift.ts'
import type { KeptWindow } from '../baselines/index.ts'
import type { Sql } from '../store/port.ts'
import { driftByMark } from './marks.ts'

/** Windows of a time that are held against one expectation. */
export type Stretch = {
  /** What those who are in the windows met. */
  drift: Drift | null
  windows: KeptWindow[]
  /** Of everyone but those with a view: its mark, and its slow changes go by that. */
  mark?: string
  /** What of them says nothing of the decoy. */
  untold: readonly FeatureName[]
}

/** Few sources are far away or near, and offer what they offer: the way to them, and what is agreed on, is no news of the decoy. */
const ofTheirOwn: readonly FeatureName[] = ['path.delay', 'repeat.share', 'handshake.kind', 'answer.window']

/**
 * Windows by what was met in them, as far as that is known:
 *
 *   everyone's -> those under the drift that was in force last
 *   apart      -> those under alike drifts together, whosever views they are
 */
export async function stretchesOf(
  sql: Pick<Sql, 'get'>,
  windows: readonly KeptWindow[],
  otherwise: string | undefined,
): Promise<Stretch[]> {
  const known = new Map<string, Drift | null>()
  for (const { drift: mark = otherwise } of windows) {
    const drift = mark === undefined || known.has(mark) ? undefined : await driftByMark(sql, mark)
    if (mark !== undefined && drift !== undefined) known.set(mark, drift)
  }
  const told = windows.flatMap((window) => {
    const mark = window.drift ?? otherwise
    const drift = mark === undefined ? undefined : known.get(mark)
    return mark === undefined || drift === undefined ? [] : [{ window, mark, drift }]
  })
  const last = told.findLast(({ window }) => !window.apart)
  const all = told.filter(({ window, mark }) => !window.apart && mark === last?.mark).map(({ window }) => window)
  // The seed says when who meets what, and nothing of how much in all.
  const alike = Map.groupBy(
    told.filter(({ window }) => window.apart),
    ({ drift }) => JSON.stringify(drift?.effects ?? null),
  )
  return [
    ...(last ? [{ drift: last.drift, mark: last.mark, windows: all, untold: [] }] : []),
    ...[...alike.values()].map((own) => ({
      drift: own[0]?.drift ?? null,
      windows: own.map(({ window }) => window),
      untold: ofTheirOwn,
    })),
  ]
}

import { partsFor } from '../../shared/release.ts'
import { typedName } from '../fleet/index.ts'
import type { Sql } from '../store/port.ts'
import { listReleases } from './releases.ts'
import { listRollouts, type Rollout } from './rollouts.ts'
import { runningOfAll } from './running.ts'

/** One command names so many; when that rollout has ended, the next are told. */
const mostNamed = 50

/**
 * Boxes, by name, that came too late for a rollout, and the command that brings the first of them its release: `brings` of
 * them, and nobody else. There is none before the rollout has ended: a release that is being tried is not for more boxes.
 */
export type Newcomers = { names: string[]; brings: number; next?: string }

/**
 * Who enrolled after a release was first rolled out, does not run it and is in none of its rollouts: the last ring was not
 * for everybody, or it had ended. Only of the newest that began, since an older one must not be brought to anybody. Who
 * takes part in another one waits for its end. Undefined where there is none.
 */
export async function newcomersOf(sql: Sql, rollout: Rollout): Promise<Newcomers | undefined> {
  const begun = await listRollouts(sql, ['running', 'paused', 'done', 'aborted'])
  if (begun[0]?.id !== rollout.id || rollout.kind !== 'update' || rollout.status === 'aborted') return undefined
  const manifest = (await listReleases(sql)).find(({ version }) => version === rollout.version)?.manifest
  if (!manifest) return undefined
  const runs = await runningOfAll(sql)
  const rows = await sql.all<{ id: string; name: string }>(
    `WITH same AS (SELECT id, made_at FROM rollouts
       WHERE version = ? AND kind = 'update' AND status IN ('running', 'paused', 'done'))
     SELECT id, name FROM agents a WHERE status = 'enrolled' AND enrolled_at >= (SELECT MIN(made_at) FROM same)
       AND NOT EXISTS (SELECT 1 FROM rollout_boxes b JOIN rollouts o ON o.id = b.rollout
         WHERE b.agent = a.id AND (o.id IN (SELECT id FROM same) OR o.status IN ('running', 'paused')))
     ORDER BY name`,
    rollout.version,
  )
  const late = rows.filter(({ id }) => {
    const now = runs.get(id)
    return now && partsFor(manifest, now).length > 0
  })
  if (late.length === 0) return undefined
  const names = late.map(({ name }) => name)
  if (rollout.status !== 'done') return { names, brings: 0 }
  const first = late.slice(0, mostNamed)
  const ring = `new=${first.map(typedName).join('|')}`
  return { names, brings: first.length, next: `marshlight updates plan ${rollout.version} --rings '${ring}' --start` }
}

import { partsFor } from '../../shared/release.ts'
import type { Sql } from '../store/port.ts'
import { listReleases } from './releases.ts'
import { listRollouts, type Rollout } from './rollouts.ts'
import { runningOfAll } from './running.ts'

/** More are brought with the whole fleet: who runs the release has nothing to do. */
const mostNamed = 3

/** Boxes, by name, that came too late for a rollout, and what brings them its release. */
export type Newcomers = { names: string[]; next: string }

/**
 * Who enrolled after a rollout was made, does not run its release and is in none: its last ring is not for everybody, or it
 * had ended. Only of the newest that began, since an older one must not be brought to anybody. Undefined where there is none.
 */
export async function newcomersOf(sql: Sql, rollout: Rollout): Promise<Newcomers | undefined> {
  const begun = await listRollouts(sql, ['running', 'paused', 'done', 'aborted'])
  if (begun[0]?.id !== rollout.id || rollout.kind !== 'update' || rollout.status === 'aborted') return undefined
  const manifest = (await listReleases(sql)).find(({ version }) => version === rollout.version)?.manifest
  if (!manifest) return undefined
  const runs = await runningOfAll(sql)
  const rows = await sql.all<{ id: string; name: string }>(
    `SELECT id, name FROM agents a WHERE status = 'enrolled' AND enrolled_at >= ?
       AND NOT EXISTS (SELECT 1 FROM rollout_boxes b WHERE b.rollout = ? AND b.agent = a.id) ORDER BY name`,
    rollout.madeAt,
    rollout.id,
  )
  const names = rows.flatMap(({ id, name }) => {
    const now = runs.get(id)
    return now && partsFor(manifest, now).length > 0 ? [name] : []
  })
  if (names.length === 0) return undefined
  const ring = names.length <= mostNamed ? ` --rings 'new=${names.join('|')}'` : ''
  return { names, next: `marshlight updates plan ${rollout.version}${ring} --start` }
}

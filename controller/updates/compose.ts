import type { DesiredUpdate } from '../../shared/schemas/update.ts'
import type { Sql } from '../store/port.ts'
import type { Order } from './plan.ts'
import { rolloutPolicy } from './policy.ts'

/** What goes into a box's plan: the order of the newest rollout that has one for it. Of an aborted one, what has begun ends by itself. */
export async function composeUpdate(sql: Sql, agent: string): Promise<{ update?: DesiredUpdate }> {
  const row = await sql.get<{
    rollout: string
    ordered: Exclude<Order, 'none'>
    policy: string
    manifest: string
    signature: string
  }>(
    `SELECT b.rollout, b.ordered, o.policy, r.manifest, r.signature FROM rollout_boxes b JOIN rollouts o ON o.id = b.rollout
     JOIN releases r ON r.version = o.version WHERE b.agent = ? AND b.ordered <> 'none'
       AND (o.status <> 'aborted' OR b.phase IN ('installing', 'trial')) ORDER BY b.rollout DESC LIMIT 1`,
    agent,
  )
  if (!row) return {}
  const { allowOlder, bytesPerSecond, confirmMinutes } = rolloutPolicy.parse(JSON.parse(row.policy))
  return {
    update: {
      rollout: row.rollout,
      manifest: row.manifest,
      signature: row.signature,
      allowOlder,
      step: row.ordered,
      ...(bytesPerSecond && { bytesPerSecond }),
      confirmWithinSeconds: Math.round(confirmMinutes * 60),
    },
  }
}

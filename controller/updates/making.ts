import { MarshlightError } from '../../shared/errors.ts'
import { partsFor } from '../../shared/release.ts'
import type { ReleaseManifest, ReleasePart } from '../../shared/schemas/update.ts'
import type { Sql } from '../store/port.ts'
import type { RolloutPolicy } from './policy.ts'
import { findRelease, type Release } from './releases.ts'
import { drawRings } from './rings.ts'
import { insertRollout, type Rollout } from './rollouts.ts'
import { type Runs, runningOfAll } from './running.ts'

export type PlannedBox = { agent: string; name: string; needs: Pick<ReleasePart, 'component' | 'version' | 'bytes'>[] }
/** A rollout as it would be, or is from now on. */
export type Planned = {
  id: string
  version: string
  rings: { name: string; boxes: PlannedBox[] }[]
  /** Who cannot take this release, and why. */
  leftOut: { agent: string; name: string; why: string }[]
  /** Boxes that the rings do not reach. */
  untouched: number
  /** With no box late or broken: the gates, and what the first ring has to fetch where its speed is capped. */
  atLeastMinutes: number
}
/** Tags of agents, by agent; whoever keeps them. */
export type TagsOf = (sql: Sql) => Promise<ReadonlyMap<string, readonly string[]>>

type Wish = { id: string; version: string; policy: RolloutPolicy; at: string }

/** Draws the rings and writes the rollout down; nothing goes to boxes before its start. Throws NOT_FOUND, CONFLICT. */
export async function makeRollout(sql: Sql, wish: Wish, tagsOf: TagsOf): Promise<Planned> {
  const { id, version, policy, at } = wish
  const release = await findRelease(sql, version)
  if (!policy.allowOlder) await mustBeNewest(sql, release)
  const runs = await runningOfAll(sql)
  const tags = await tagsOf(sql)
  const agents = await sql.all<{ id: string; name: string }>(
    "SELECT id, name FROM agents WHERE status = 'enrolled' ORDER BY name",
  )
  mustBear(policy, agents, tags)
  const leftOut = agents.flatMap(({ id: agent, name }) => {
    const why = whyNot(release.manifest, runs.get(agent))
    return why === undefined ? [] : [{ agent, name, why }]
  })
  const able = agents.filter(({ id: agent }) => !leftOut.some((one) => one.agent === agent))
  const drawn = drawRings(
    id,
    policy.rings,
    able.map((one) => ({ id: one.id, tags: tags.get(one.id) ?? [] })),
  )
  if (drawn.size === 0)
    throw new MarshlightError('CONFLICT', {
      what: `no box would get release ${version}${leftOut[0] ? `: ${leftOut[0].name}: ${leftOut[0].why}` : ''}`,
      next: 'See what boxes run: `marshlight agents ls`.',
    })
  await insertRollout(sql, { id, version, kind: 'update', policy, at }, drawn)
  const rings = policy.rings.map(({ name }, i) => ({
    name,
    boxes: able
      .filter((one) => drawn.get(one.id) === i)
      .map((one) => ({ agent: one.id, name: one.name, needs: needsOf(release.manifest, runs.get(one.id)) })),
  }))
  const untouched = able.length - drawn.size
  return { id, version, rings, leftOut, untouched, atLeastMinutes: atLeast(policy, rings) }
}

/**
 * The way back, at once and for all boxes that took the release or may be about to: no gates, since what they run is known
 * to be bad. Throws NOT_FOUND where no release to go back to is here.
 */
export async function makeRollback(
  sql: Sql,
  { id, of, to, at }: { id: string; of: Rollout; to: string | undefined; at: string },
): Promise<{ id: string; version: string; boxes: number; kept: string[] }> {
  const from = await findRelease(sql, of.version)
  const target = to === undefined ? await releaseBefore(sql, from) : await findRelease(sql, to)
  const boxes = await sql.all<{ agent: string }>(
    `SELECT b.agent FROM rollout_boxes b JOIN agents a ON a.id = b.agent WHERE b.rollout = ? AND a.status = 'enrolled'
       AND (b.ordered = 'install' OR b.phase IN ('installing', 'trial', 'confirmed'))
       AND COALESCE(b.phase, '') NOT IN ('rolled-back', 'refused', 'failed') ORDER BY b.agent`,
    of.id,
  )
  if (boxes.length === 0)
    throw new MarshlightError('CONFLICT', {
      what: `no box took release ${of.version} in this rollout`,
      next: `End it instead: \`marshlight updates abort ${of.id.slice(-8)}\`.`,
    })
  const policy: RolloutPolicy = {
    ...of.policy,
    rings: [{ name: 'back', agents: boxes.map(({ agent }) => agent), tags: [] }],
    ...{ gateMinutes: 0, enough: 100, tolerate: 100, atOnce: boxes.length, allowOlder: true },
  }
  await insertRollout(
    sql,
    { id, version: target.version, kind: 'rollback', policy, at },
    new Map(boxes.map(({ agent }) => [agent, 0])),
  )
  return { id, version: target.version, boxes: boxes.length, kept: keptParts(from.manifest, target.manifest) }
}

const needsOf = (manifest: ReleaseManifest, runs: Runs | undefined) =>
  runs ? partsFor(manifest, runs).map(({ component, version, bytes }) => ({ component, version, bytes })) : []

function whyNot(manifest: ReleaseManifest, runs: Runs | undefined): string | undefined {
  if (!runs) return 'it never said what it runs: its agent is too old for updates, or never connected'
  return manifest.parts.some(({ arch }) => arch === runs.arch)
    ? undefined
    : `the release holds nothing for ${runs.arch}`
}

/** A tag that nobody bears is more likely misspelt than meant. */
function mustBear(
  { rings }: RolloutPolicy,
  agents: readonly { id: string }[],
  tags: ReadonlyMap<string, readonly string[]>,
): void {
  const borne = new Set(agents.flatMap(({ id }) => tags.get(id) ?? []))
  const unknown = rings.flatMap((one) => one.tags).find((tag) => !borne.has(tag))
  if (unknown !== undefined)
    throw new MarshlightError('NOT_FOUND', {
      kind: 'agent with the tag',
      value: unknown,
      command: 'marshlight agents ls',
    })
}

/** Boxes refuse what is older than what they confirmed. */
async function mustBeNewest(sql: Sql, { version, sequence }: Release): Promise<void> {
  const newer = await sql.get<{ version: string; sequence: number }>(
    `SELECT r.version, r.sequence FROM rollouts o JOIN releases r ON r.version = o.version
     WHERE r.sequence > ? AND (o.status IN ('running', 'paused')
       OR EXISTS (SELECT 1 FROM rollout_boxes b WHERE b.rollout = o.id AND b.phase IN ('installing', 'trial', 'confirmed')))
 ORDER BY r.sequence DESC LIMIT 1`,
    sequence,
  )
  if (newer)
    throw new MarshlightError('RELEASE_OLDER', { version, sequence, highest: newer.sequence, newest: newer.version })
}

async function releaseBefore(sql: Sql, { version, sequence }: Release): Promise<Release> {
  const row = await sql.get<{ version: string }>(
    'SELECT version FROM releases WHERE removed_at IS NULL AND sequence < ? ORDER BY sequence DESC LIMIT 1',
    sequence,
  )
  if (!row)
    throw new MarshlightError('NOT_FOUND', { kind: 'release before', value: version, command: 'marshlight updates ls' })
  return findRelease(sql, row.version)
}

/** Parts that the older release does not hold, so that boxes keep the newer. */
const keptParts = (from: ReleaseManifest, to: ReleaseManifest): string[] =>
  from.parts
    .filter(({ component, arch }) => !to.parts.some((one) => one.component === component && one.arch === arch))
    .map(({ component, arch, version }) => `${component} ${version} for ${arch}`)

function atLeast({ gateMinutes, bytesPerSecond }: RolloutPolicy, rings: Planned['rings']): number {
  const used = rings.filter(({ boxes }) => boxes.length > 0)
  const sums = (used[0]?.boxes ?? []).map(({ needs }) => needs.reduce((sum, { bytes }) => sum + bytes, 0))
  const fetching = bytesPerSecond ? Math.max(0, ...sums) / bytesPerSecond / 60 : 0
  return Math.ceil(used.length * gateMinutes + fetching)
}

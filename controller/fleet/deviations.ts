import { type Running, releaseManifest } from '../../shared/schemas/update.ts'
import type { Sql } from '../store/port.ts'
import { type Told, toldOfAll } from './told.ts'

/** Something that a box has otherwise than it should. */
export type Deviation = { what: string; has: string; should: string }

type Document = { kind: string; revision: number; held: number | null; outcome: string | null; reason: string | null }
export type Compared = {
  documents: readonly Document[]
  told?: Told | undefined
  running?: Running | undefined
  /** What the plan has it install: the text of a release's manifest. */
  release?: string | undefined
  decoys: { wanted: number; ready: number }
}

/** How a box differs from what it should be; empty for one that is as it should, and for what it never told. */
export function deviationsOf({ documents, told, running, release, decoys }: Compared): Deviation[] {
  const found = documents.flatMap((one) => ofDocument(one, told))
  if (running && release !== undefined) found.push(...ofRelease(running, release))
  if (told?.config && told.rightConfig && told.config !== told.rightConfig)
    found.push({ what: 'agent.json', has: told.config.slice(0, 12), should: told.rightConfig.slice(0, 12) })
  if (decoys.ready < decoys.wanted)
    found.push({ what: 'decoys', has: `${decoys.ready} ready`, should: `${decoys.wanted}` })
  return found
}

/** What it told when it connected may be newer than its last word on the document. */
function ofDocument({ kind, revision, held, outcome, reason }: Document, told: Told | undefined): Deviation[] {
  const said = kind === 'plan' ? told?.planRevision : told?.blocksRevision
  if (held === null && said === undefined) return []
  const has = Math.max(held ?? 0, said ?? 0)
  const turnedDown = held === revision && (outcome === 'refused' || outcome === 'rejected')
  if (has >= revision && !turnedDown) return []
  return [
    {
      what: kind,
      has: turnedDown ? `${outcome} revision ${revision}: ${reason ?? 'no reason'}` : `revision ${has}`,
      should: `revision ${revision}`,
    },
  ]
}

function ofRelease(running: Running, manifest: string): Deviation[] {
  const parsed = releaseManifest.safeParse(jsonOf(manifest))
  if (!parsed.success) return []
  return parsed.data.parts.flatMap(({ component, arch, version }) => {
    const has = running[component]
    return arch !== running.arch || has === undefined || has === version
      ? []
      : [{ what: component, has, should: version }]
  })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Of every enrolled box, or of one. `running`: what each said that it runs. */
export async function deviationsOfAll(
  sql: Sql,
  running: ReadonlyMap<string, Running>,
  only?: string,
): Promise<Map<string, Deviation[]>> {
  const told = await toldOfAll(sql)
  const documents = await sql.all<Document & { agent: string; release: string | null }>(
    `SELECT d.agent, d.kind, d.revision, s.revision AS held, s.outcome, s.reason,
       CASE WHEN d.kind = 'plan' AND json_extract(d.body, '$.update.step') = 'install'
         THEN json_extract(d.body, '$.update.manifest') END AS release
     FROM desired d LEFT JOIN document_standing s ON s.agent = d.agent AND s.document = d.kind
     WHERE ? IS NULL OR d.agent = ?`,
    only ?? null,
    only ?? null,
  )
  const byAgent = Map.groupBy(documents, ({ agent }) => agent)
  const counts = new Map((await decoyCounts(sql)).map((row) => [row.agent, row]))
  const agents = await sql.all<{ id: string }>("SELECT id FROM agents WHERE status = 'enrolled'")
  return new Map(
    agents
      .filter(({ id }) => only === undefined || id === only)
      .map(({ id }) => {
        const own = byAgent.get(id) ?? []
        const { wanted = 0, ready = 0 } = counts.get(id) ?? {}
        const release = own.find((one) => one.release !== null)?.release ?? undefined
        const compared = { documents: own, told: told.get(id), running: running.get(id), release }
        return [id, deviationsOf({ ...compared, decoys: { wanted, ready } })]
      }),
  )
}

/** Decoys that each box shall have, and those that answer. */
export const decoyCounts = (sql: Sql) =>
  sql.all<{ agent: string; wanted: number; ready: number }>(
    `SELECT d.agent, COUNT(*) AS wanted, SUM(s.phase = 'ready' AND s.ip = d.ip) AS ready
     FROM decoys d LEFT JOIN decoy_states s ON s.decoy = d.id WHERE d.status = 'wanted' GROUP BY d.agent`,
  )

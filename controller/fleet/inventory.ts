import { hardware } from '../../shared/schemas/hardware.ts'
import type { Running } from '../../shared/schemas/update.ts'
import type { Sql } from '../store/port.ts'
import { listAgents } from './agents.ts'
import { decoyCounts, deviationsOfAll } from './deviations.ts'
import { stateOf } from './selection.ts'
import { tagsOfAll } from './tags.ts'

/** Columns of the export, in their order, which never changes: new ones come at the end. `docs/inventory.md` says what each means. */
export type InventoryRow = Record<
  | 'name'
  | 'id'
  | 'state'
  | 'site'
  | 'segment'
  | 'network'
  | 'address'
  | 'mac'
  | 'roles'
  | 'tags'
  | 'hostname'
  | 'hardware'
  | 'agent_version'
  | 'decoys_version'
  | 'system_version'
  | 'architecture'
  | 'enrolled_at'
  | 'last_seen'
  | 'certificate_serial'
  | 'certificate_until'
  | 'differs_in',
  string | null
> &
  Record<'decoys_wanted' | 'decoys_ready', number>

/** Every box, a row each; of one with several segments, that of its enrolment. `running`: what each said that it runs. */
export async function inventory(sql: Sql, running: ReadonlyMap<string, Running>): Promise<InventoryRow[]> {
  const [tags, deviations] = [await tagsOfAll(sql), await deviationsOfAll(sql, running)]
  const counts = new Map((await decoyCounts(sql)).map((row) => [row.agent, row]))
  const boxes = await sql.all<{ agent: string; body: string }>('SELECT agent, body FROM agent_hardware')
  const boards = new Map(boxes.map(({ agent, body }) => [agent, hardware.parse(JSON.parse(body))]))
  const macs = await sql.all<{ agent: string; segment: string; mac: string | null }>(
    'SELECT agent, segment, mac FROM agent_segments',
  )
  const macOf = new Map(macs.map(({ agent, segment, mac }) => [`${agent} ${segment}`, mac]))
  return (await listAgents(sql)).map((agent) => {
    // Further segments extend its name, so the shortest is the one of the enrolment.
    const [home] = [...agent.segments].sort((a, b) => a.name.length - b.name.length || (a.name < b.name ? -1 : 1))
    const [runs, board, count] = [running.get(agent.id), boards.get(agent.id), counts.get(agent.id)]
    return {
      name: agent.name,
      id: agent.id,
      state: stateOf(agent),
      site: home?.site ?? null,
      segment: home?.name ?? null,
      network: home?.cidr ?? null,
      address: home?.address ?? null,
      mac: macOf.get(`${agent.id} ${home?.id}`) ?? null,
      roles: agent.roles.join(' '),
      tags: (tags.get(agent.id) ?? []).join(' '),
      hostname: agent.hostname,
      hardware: board?.board ?? board?.macs[0] ?? null,
      agent_version: runs?.agent ?? agent.version,
      decoys_version: runs?.decoys ?? null,
      system_version: runs?.system ?? null,
      architecture: runs?.arch ?? null,
      enrolled_at: agent.enrolledAt,
      last_seen: agent.lastSeen,
      certificate_serial: agent.certificateSerial,
      certificate_until: agent.certificateExpires,
      differs_in: (deviations.get(agent.id) ?? []).map(({ what }) => what).join(' '),
      decoys_wanted: count?.wanted ?? 0,
      decoys_ready: count?.ready ?? 0,
    }
  })
}

import type { ScanReport } from '../../shared/schemas/inventory.ts'
import type { Sql } from '../store/port.ts'
import { type Host, type HostRow, toHost } from './host.ts'

export type Segment = {
  id: string
  site: string
  name: string
  cidr?: string
  gateway?: string
  agents: { id: string; name: string; presence: string; nic?: string; address?: string }[]
  hostsUp: number
  hostsGone: number
  /** When its last pass of each depth ended well. */
  quickDone?: string
  detailDone?: string
}

type SegmentRow = {
  id: string
  site: string
  name: string
  cidr: string | null
  gateway: string | null
  up: number
  gone: number
  quick: string | null
  detail: string | null
}

/** All segments with what is known of each. */
export async function listSegments(sql: Sql): Promise<Segment[]> {
  const rows = await sql.all<SegmentRow>(
    `SELECT s.id, t.name AS site, s.name, s.cidr, s.gateway,
       (SELECT COUNT(*) FROM hosts h WHERE h.segment = s.id AND h.status = 'up') AS up,
       (SELECT COUNT(*) FROM hosts h WHERE h.segment = s.id AND h.status = 'gone') AS gone,
       (SELECT MAX(finished_at) FROM scans c WHERE c.segment = s.id AND c.phase = 'quick' AND c.outcome = 'done') AS quick,
       (SELECT MAX(finished_at) FROM scans c WHERE c.segment = s.id AND c.phase = 'detail' AND c.outcome = 'done') AS detail
     FROM segments s JOIN sites t ON t.id = s.site ORDER BY t.name, s.name`,
  )
  const cards = await sql.all<{
    segment: string
    id: string
    name: string
    presence: string
    nic: string | null
    address: string | null
  }>(
    `SELECT x.segment, a.id, a.name, a.presence, x.nic, x.address FROM agent_segments x JOIN agents a ON a.id = x.agent
     WHERE a.status = 'enrolled' ORDER BY a.name`,
  )
  return rows.map((row) => ({
    id: row.id,
    site: row.site,
    name: row.name,
    ...(row.cidr !== null && { cidr: row.cidr }),
    ...(row.gateway !== null && { gateway: row.gateway }),
    agents: cards
      .filter(({ segment }) => segment === row.id)
      .map(({ id, name, presence, nic, address }) => ({
        id,
        name,
        presence,
        ...(nic !== null && { nic }),
        ...(address !== null && { address }),
      })),
    hostsUp: row.up,
    hostsGone: row.gone,
    ...(row.quick !== null && { quickDone: row.quick }),
    ...(row.detail !== null && { detailDone: row.detail }),
  }))
}

/** Hosts of a segment in the order of their addresses. */
export async function hostsOf(sql: Sql, segment: string): Promise<Host[]> {
  const rows = await sql.all<HostRow>('SELECT * FROM hosts WHERE segment = ?', segment)
  return rows.map(toHost).sort((a, b) => byAddress(a.ip, b.ip))
}

export type HistoryEntry = { ip: string; at: string; kind: string; words: string; before?: string; after?: string }
type HistoryRow = { ip: string; at: string; kind: string; words: string; before: string | null; after: string | null }

const toEntry = ({ ip, at, kind, words, before, after }: HistoryRow): HistoryEntry => ({
  ip,
  at,
  kind,
  words,
  ...(before !== null && { before }),
  ...(after !== null && { after }),
})

/** What happened to one host, oldest first. */
export async function historyOf(sql: Sql, segment: string, ip: string, limit = 500): Promise<HistoryEntry[]> {
  const rows = await sql.all<HistoryRow>(
    'SELECT ip, at, kind, words, before, after FROM host_history WHERE segment = ? AND ip = ? ORDER BY at DESC, id DESC LIMIT ?',
    segment,
    ip,
    limit,
  )
  return rows.reverse().map(toEntry)
}

/** What happened in a segment from `since` (included) to `until`, oldest first. */
export async function historyBetween(sql: Sql, segment: string, since: string, until: string): Promise<HistoryEntry[]> {
  const rows = await sql.all<HistoryRow>(
    `SELECT ip, at, kind, words, before, after FROM host_history WHERE segment = ? AND at >= ? AND at <= ? ORDER BY at, id LIMIT 20000`,
    segment,
    since,
    until,
  )
  return rows.map(toEntry)
}

export type Scan = {
  id: string
  phase: ScanReport['phase']
  agent: string
  segment: string
  cidr: string
  /** Of whom asked for it; without, its time had come. */
  request?: string
  outcome: ScanReport['outcome']
  startedAt: string
  finishedAt?: string
  targets: number
  hostsUp: number
  reason?: string
}

/** Scans, newest first. */
export async function listScans(sql: Sql, limit: number, segment?: string): Promise<Scan[]> {
  const rows = await sql.all<{
    id: string
    phase: Scan['phase']
    agent: string
    segment: string
    cidr: string
    request: string | null
    outcome: Scan['outcome']
    started_at: string
    finished_at: string | null
    targets: number
    hosts_up: number
    reason: string | null
  }>(
    `SELECT c.id, c.phase, a.name AS agent, s.name AS segment, c.cidr, c.request, c.outcome, c.started_at, c.finished_at, c.targets, c.hosts_up, c.reason
     FROM scans c JOIN agents a ON a.id = c.agent JOIN segments s ON s.id = c.segment
     WHERE ? = '' OR c.segment = ? ORDER BY c.started_at DESC, c.phase LIMIT ?`,
    segment ?? '',
    segment ?? '',
    limit,
  )
  return rows.map((row) => ({
    id: row.id,
    phase: row.phase,
    agent: row.agent,
    segment: row.segment,
    cidr: row.cidr,
    ...(row.request !== null && { request: row.request }),
    outcome: row.outcome,
    startedAt: row.started_at,
    ...(row.finished_at !== null && { finishedAt: row.finished_at }),
    targets: row.targets,
    hostsUp: row.hosts_up,
    ...(row.reason !== null && { reason: row.reason }),
  }))
}

const sortKey = (ip: string) =>
  ip
    .split('.')
    .map((part) => part.padStart(3, '0'))
    .join('.')
export const byAddress = (a: string, b: string): number => sortKey(a).localeCompare(sortKey(b))

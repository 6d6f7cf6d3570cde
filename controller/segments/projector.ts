import type { Clock } from '../../shared/clock.ts'
import type { FullPicture, HostGone, HostSeen, ScanReport } from '../../shared/schemas/inventory.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent, Projector, StoredRecord } from '../work/port.ts'
import { noteActivity } from './activity.ts'
import { type Change, changesOf, merge } from './changes.ts'
import { readHost, writeHost } from './host.ts'
import { isOfEarlierPlace } from './left.ts'
import { placeCard, segmentOf } from './place.ts'

/** Addresses that are ours in a segment: decoys, by MAC always, by address where a host shows no MAC. */
export type OwnAddresses = { macs: ReadonlySet<string>; ips: ReadonlySet<string> }

export type InventoryDeps = {
  clock: Clock
  /** The decoys ever placed in the segment; they are never hosts. */
  decoysIn(sql: Sql, segment: string): Promise<OwnAddresses>
}

/**
 * Stream `inventory` -> segments, hosts with their history, scans.
 *
 *   segment  card of an agent -> its segment
 *   host     up, merged with what was known; each difference goes to the history
 *   gone     gone, kept with its history
 *   full     whatever is not named is gone
 *   scan     the log of scans; how many hosts answered in this hour of the week
 */
export function makeInventoryProjector(deps: InventoryDeps): Projector<'inventory'> {
  return {
    name: 'segments',
    streams: ['inventory'],
    async project(sql, records) {
      const changed = new Set<string>()
      const own = new Map<string, OwnAddresses>()
      const ownIn = async (segment: string): Promise<OwnAddresses> => {
        const known = own.get(segment)
        if (known) return known
        const fresh = await withAppliances(sql, segment, await deps.decoysIn(sql, segment))
        own.set(segment, fresh)
        return fresh
      }
      for (const { record, agent, receivedAt } of records as readonly StoredRecord<'inventory'>[]) {
        if (await isOfEarlierPlace(sql, agent, record)) continue
        const segment =
          record.type === 'segment'
            ? await placeCard(sql, agent, record, deps.clock.now())
            : ((await segmentOf(sql, agent, record.cidr)) ??
              (await placeCard(sql, agent, nameless(record.cidr), deps.clock.now())))
        if (segment === undefined) throw new Error(`agent ${agent} is enrolled for no segment`)
        if (record.type === 'segment') own.delete(segment)
        if (await take(sql, { segment, agent, record, receivedAt, own: await ownIn(segment) })) changed.add(segment)
      }
      return [...changed].map((segment): BusEvent => ({ name: 'segment-changed', segment }))
    },
  }
}

type Taken = {
  segment: string
  agent: string
  record: StoredRecord<'inventory'>['record']
  receivedAt: string
  own: OwnAddresses
}

/** Whether anything became different. */
async function take(sql: Sql, { segment, agent, record, receivedAt, own }: Taken): Promise<boolean> {
  switch (record.type) {
    case 'segment':
      return true
    case 'host':
      return takeHost(sql, segment, agent, record, own)
    case 'gone':
      return takeGone(sql, segment, record)
    case 'full':
      return takeFull(sql, segment, agent, record)
    case 'scan':
      return takeScan(sql, segment, agent, receivedAt, record)
  }
}

async function takeHost(sql: Sql, segment: string, agent: string, seen: HostSeen, own: OwnAddresses): Promise<boolean> {
  if (seen.mac !== undefined ? own.macs.has(seen.mac) : own.ips.has(seen.ip)) return false
  const before = await readHost(sql, segment, seen.ip)
  const after = merge(before, seen, segment)
  const changes = changesOf(before, after)
  await writeHost(sql, after, agent)
  for (const change of changes) await remember(sql, segment, seen.ip, seen.at, change)
  return changes.length > 0 || before?.depth !== after.depth
}

async function takeGone(sql: Sql, segment: string, { ip, at }: Pick<HostGone, 'ip' | 'at'>): Promise<boolean> {
  const { changes } = await sql.run(
    "UPDATE hosts SET status = 'gone', gone_at = ? WHERE segment = ? AND ip = ? AND status = 'up'",
    at,
    segment,
    ip,
  )
  if (changes > 0) await remember(sql, segment, ip, at, { kind: 'gone', words: 'does not answer any more' })
  return changes > 0
}

/** Only hosts that this agent reported, or one that is no more: another appliance of the segment may see what this one cannot. */
async function takeFull(sql: Sql, segment: string, agent: string, { ips, at }: FullPicture): Promise<boolean> {
  const missing = await sql.all<{ ip: string }>(
    `SELECT ip FROM hosts WHERE segment = ? AND (agent = ? OR agent NOT IN (SELECT id FROM agents WHERE status = 'enrolled'))
       AND status = 'up' AND last_seen <= ? AND ip NOT IN (SELECT value FROM json_each(?))`,
    segment,
    agent,
    at,
    JSON.stringify(ips),
  )
  for (const { ip } of missing) await takeGone(sql, segment, { ip, at })
  return missing.length > 0
}

async function takeScan(
  sql: Sql,
  segment: string,
  agent: string,
  receivedAt: string,
  scan: ScanReport,
): Promise<boolean> {
  await sql.run(
    `INSERT INTO scans (id, phase, agent, segment, cidr, request, outcome, started_at, finished_at, targets, hosts_up, reason, received_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id, phase) DO UPDATE SET outcome = excluded.outcome, finished_at = excluded.finished_at,
       targets = excluded.targets, hosts_up = excluded.hosts_up, reason = excluded.reason, received_at = excluded.received_at`,
    scan.id,
    scan.phase,
    agent,
    segment,
    scan.cidr,
    scan.request ?? null,
    scan.outcome,
    scan.startedAt,
    scan.finishedAt ?? null,
    scan.targets,
    scan.hostsUp,
    scan.reason ?? null,
    receivedAt,
  )
  // A quick pass looks at the whole segment. An appliance's clock may be ahead; what it says is not taken for the future.
  if (scan.phase === 'quick' && scan.outcome === 'done') {
    const at = Math.min(Date.parse(scan.finishedAt ?? scan.at), Date.parse(receivedAt))
    await noteActivity(sql, segment, 'hosts', { at, amount: scan.hostsUp })
  }
  return scan.outcome !== 'started'
}

const remember = (sql: Sql, segment: string, ip: string, at: string, { kind, words, before, after }: Change) =>
  sql.run(
    'INSERT INTO host_history (segment, ip, at, kind, words, before, after) VALUES (?, ?, ?, ?, ?, ?, ?)',
    segment,
    ip,
    at,
    kind,
    words,
    before ?? null,
    after ?? null,
  )

/** Appliances of ours are no hosts of the segment either. */
async function withAppliances(sql: Sql, segment: string, decoys: OwnAddresses): Promise<OwnAddresses> {
  const rows = await sql.all<{ address: string | null; mac: string | null }>(
    'SELECT address, mac FROM agent_segments WHERE segment = ?',
    segment,
  )
  const macs = rows.flatMap(({ mac }) => (mac === null ? [] : [mac]))
  const ips = rows.flatMap(({ address }) => (address === null ? [] : [address]))
  return { macs: new Set([...decoys.macs, ...macs]), ips: new Set([...decoys.ips, ...ips]) }
}

/** A network of which the agent's card has not been told yet. */
const nameless = (cidr: string) => ({
  cidr,
  nic: 'net',
  address: cidr.split('/')[0] ?? '',
  mac: '00:00:00:00:00:00',
  dns: [],
})

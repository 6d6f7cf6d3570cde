import type { HostPort, HostSeen } from '../../shared/schemas/inventory.ts'
import type { Host } from './host.ts'

export type ChangeKind =
  | 'appeared'
  | 'returned'
  | 'gone'
  | 'replaced'
  | 'names'
  | 'vendor'
  | 'os'
  | 'port-opened'
  | 'port-closed'
  | 'service'

/** One difference of a host, in words, with what it was and what it became. */
export type Change = { kind: ChangeKind; words: string; before?: string; after?: string }

/**
 * `seen` laid over `before`. A quick pass says nothing of ports and systems, so those of an earlier detail pass stay;
 * unless another machine has the address now (its MAC differs), which is a new host.
 */
export function merge(before: Host | undefined, seen: HostSeen, segment: string): Host {
  const same = before !== undefined && !isReplaced(before, seen)
  const keepsDetail = same && seen.depth === 'quick' && before.depth === 'detail'
  const mac = seen.mac ?? (same ? before.mac : undefined)
  const vendor = seen.vendor ?? (same ? before.vendor : undefined)
  return {
    segment,
    ip: seen.ip,
    ...(mac !== undefined && { mac }),
    ...(vendor !== undefined && { vendor }),
    names: seen.names.length === 0 && same ? before.names : seen.names,
    os: keepsDetail ? before.os : seen.os,
    ports: keepsDetail ? before.ports : seen.ports,
    depth: keepsDetail ? 'detail' : seen.depth,
    status: 'up',
    firstSeen: same ? before.firstSeen : seen.at,
    lastSeen: seen.at,
  }
}

/** What became different from `before` to `after`, in a fixed order. The first look into a host's depth is not a change. */
export function changesOf(before: Host | undefined, after: Host): Change[] {
  if (!before) return [{ kind: 'appeared', words: `appeared${describe(after)}`, after: after.mac ?? after.ip }]
  if (isReplaced(before, after))
    return [
      {
        kind: 'replaced',
        words: `another machine has this address: ${before.mac} before, ${after.mac} now${describe(after)}`,
        before: before.mac ?? '',
        after: after.mac ?? '',
      },
    ]
  const changes: Change[] = []
  if (before.status === 'gone')
    changes.push({ kind: 'returned', words: `is back after it was gone since ${before.goneAt ?? before.lastSeen}` })
  const names = difference('names', 'names', before.names.join(', '), after.names.join(', '))
  if (names) changes.push(names)
  const vendor = difference('vendor', 'vendor', before.vendor ?? '', after.vendor ?? '')
  if (vendor) changes.push(vendor)
  if (before.depth === 'quick') return changes
  const os = difference('os', 'system', before.os[0]?.name ?? '', after.os[0]?.name ?? '')
  if (os) changes.push(os)
  return [...changes, ...portChanges(before.ports, after.ports)]
}

function portChanges(before: readonly HostPort[], after: readonly HostPort[]): Change[] {
  const changes: Change[] = []
  const had = new Map(before.map((port) => [keyOf(port), port]))
  const has = new Set(after.map(keyOf))
  for (const port of after) {
    const old = had.get(keyOf(port))
    if (!old) changes.push({ kind: 'port-opened', words: `${portWords(port)} opened`, after: portWords(port) })
    else if (serviceWords(old) !== serviceWords(port))
      changes.push({
        kind: 'service',
        words: `${keyOf(port)} is ${serviceWords(port) || 'unnamed'} now, ${serviceWords(old) || 'unnamed'} before`,
        before: serviceWords(old),
        after: serviceWords(port),
      })
  }
  for (const port of before)
    if (!has.has(keyOf(port)))
      changes.push({ kind: 'port-closed', words: `${portWords(port)} closed`, before: portWords(port) })
  return changes
}

/** "ssh OpenSSH 9.2p1", as far as it is known. */
export const serviceWords = (port: HostPort): string =>
  [port.service, port.product, port.version].filter((word) => word !== undefined && word !== '').join(' ')

const portWords = (port: HostPort) => [keyOf(port), serviceWords(port)].filter(Boolean).join(' ')
const keyOf = ({ port, proto }: HostPort) => `${port}/${proto}`

const isReplaced = (before: Pick<Host, 'mac'>, after: { mac?: string | undefined }) =>
  before.mac !== undefined && after.mac !== undefined && before.mac !== after.mac

function difference(kind: ChangeKind, label: string, before: string, after: string): Change | undefined {
  if (before === after) return undefined
  return { kind, words: `${label}: ${before || 'none'} before, ${after || 'none'} now`, before, after }
}

function describe({ names, vendor, mac }: Host): string {
  const parts = [names[0], vendor ?? mac].filter((part) => part !== undefined)
  return parts.length > 0 ? ` (${parts.join(', ')})` : ''
}

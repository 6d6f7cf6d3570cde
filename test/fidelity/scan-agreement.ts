import { tableText } from '../../controller/cli/print.ts'
import type { ScanLine, ScannedHost } from './scan-report.ts'

export type Compared = { at: string; what: string; host: string; decoy: string; equal: boolean }

/** Lines of both reports side by side. Those on which neither says anything are no agreement and are left out. */
export function compareScans(host: ScannedHost, decoy: ScannedHost, names: Names): Compared[] {
  const [theirs, ours] = [byKey(host.lines, names.host), byKey(decoy.lines, names.decoy)]
  const keys = [...new Set([...theirs.keys(), ...ours.keys()])].sort(inOrder)
  return keys.flatMap((key) => {
    const line = theirs.get(key) ?? ours.get(key)
    if (!line) return []
    const [one, other] = [theirs.get(key)?.said ?? '', ours.get(key)?.said ?? '']
    if (one === '' && other === '') return []
    return [{ at: line.at, what: line.what, host: one, decoy: other, equal: one === other }]
  })
}

/** Two machines never have the same name: each one's own stands as `{own}` in both. */
export type Names = { host: string; decoy: string }

const byKey = (lines: readonly ScanLine[], name: string) =>
  new Map(
    lines.map((line) => {
      const own = new RegExp(`^${name.replace(/[^\w-]/g, '\\$&')}(?=[.]|$)`, 'i')
      return [`${line.at} ${line.what}`, { ...line, said: line.said.replace(own, '{own}') }] as const
    }),
  )

/** Ports by number, then what holds for the host. The order of a port's own lines stays. */
const place = (key: string) => (/^\d/.test(key) ? Number.parseInt(key, 10) : key.startsWith('others') ? 1e5 : 1e6)
const inOrder = (a: string, b: string) => place(a) - place(b)

/** Equal lines among all, in percent. */
export const percentEqual = (compared: readonly Compared[]): number =>
  (100 * compared.filter(({ equal }) => equal).length) / compared.length

export const differencesInWords = (compared: readonly Compared[]): string[] =>
  compared
    .filter(({ equal }) => !equal)
    .map(({ at, what, host, decoy }) => `${at} ${what}: the host says ${quoted(host)}, the decoy ${quoted(decoy)}`)

const quoted = (text: string) => (text === '' ? 'nothing' : `“${text}”`)

/** Host and decoy side by side, a port's line as a scanner prints it; what differs has a mark. */
export function sideBySide(compared: readonly Compared[], width: number): string {
  const rows: (readonly string[])[] = []
  for (const at of [...new Set(compared.map((one) => one.at))]) {
    const here = compared.filter((one) => one.at === at)
    if (!/^\d/.test(at)) {
      for (const { what, host, decoy, equal } of here) rows.push([`${at} ${what}`, mark(equal), host, decoy])
      continue
    }
    const joined = (side: 'host' | 'decoy', whats: readonly string[]) =>
      whats
        .map((what) => here.find((one) => one.what === what)?.[side] ?? '')
        .filter(Boolean)
        .join(' ')
    for (const whats of [
      ['state', 'service', 'product', 'version', 'extra'],
      ['runs on', 'names', 'cpe'],
    ]) {
      const [host, decoy] = [joined('host', whats), joined('decoy', whats)]
      const equal = here.every((one) => one.equal || !whats.includes(one.what))
      if (host !== '' || decoy !== '') rows.push([whats[0] === 'state' ? at : '', mark(equal), host, decoy])
    }
  }
  return tableText(['port', '', 'real host', 'decoy'], rows, width)
}

const mark = (equal: boolean) => (equal ? '=' : '≠')

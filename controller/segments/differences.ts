import { byAddress, type HistoryEntry } from './queries.ts'

/** What a span of time did to one host, in the end. */
export type HostDifference = {
  ip: string
  net: 'new' | 'gone' | 'back' | 'changed' | 'came and went' | 'left and came back'
  changes: { at: string; words: string }[]
}

/** History folded by host: what is different at the end of the span from its beginning, and each step there. */
export function differencesOf(entries: readonly HistoryEntry[]): HostDifference[] {
  const byHost = new Map<string, HistoryEntry[]>()
  for (const entry of entries) byHost.set(entry.ip, [...(byHost.get(entry.ip) ?? []), entry])
  return [...byHost]
    .map(([ip, steps]) => ({ ip, net: netOf(steps), changes: steps.map(({ at, words }) => ({ at, words })) }))
    .sort((a, b) => byAddress(a.ip, b.ip))
}

function netOf(steps: readonly HistoryEntry[]): HostDifference['net'] {
  const presence = steps.filter(({ kind }) => kind === 'appeared' || kind === 'gone' || kind === 'returned')
  const [first, last] = [presence[0]?.kind, presence.at(-1)?.kind]
  if (first === undefined) return 'changed'
  if (first === 'gone') return last === 'gone' ? 'gone' : 'left and came back'
  if (last === 'gone') return 'came and went'
  return first === 'appeared' ? 'new' : 'back'
}

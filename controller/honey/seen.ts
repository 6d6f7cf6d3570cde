import type { DecoyEvent } from '../../shared/schemas/event.ts'
import { loginProof } from '../../shared/schemas/login-proof.ts'
import type { Planted } from '../personas/index.ts'
import type { Search } from './candidates.ts'

/** What an event can show of a password: the password itself, an answer made of it, or a text that it may stand in. */
export type Trace =
  | { kind: 'said'; password: string }
  | { kind: 'proved'; find: (search: Search) => Planted | undefined }
  | { kind: 'written'; find: (search: Search) => Planted | undefined }

/** Undefined for an event that shows nothing of one. */
export function traceOf({ kind, username, password, command, url, data }: DecoyEvent): Trace | undefined {
  if (kind === 'login.failed' || kind === 'login.success') {
    if (password !== undefined) return { kind: 'said', password }
    if (data?.scheme === undefined) return undefined
    const proof = loginProof.safeParse(data)
    return proof.success ? { kind: 'proved', find: (search) => search.byProof(proof.data, username ?? '') } : undefined
  }
  if (kind !== 'command' && kind !== 'request') return undefined
  const community = typeof data?.community === 'string' ? data.community : undefined
  const text = [command, url, community].filter((one) => one !== undefined).join('\n')
  return text === '' ? undefined : { kind: 'written', find: (search) => search.inText(text) }
}

/** How it was used, for an alert. The text itself is not told: the password stands in it. */
export function usedBy(trace: Trace, { kind, service }: Pick<DecoyEvent, 'kind' | 'service'>): string {
  if (trace.kind === 'written')
    return kind === 'command' ? `by ${service}, in a line that was typed` : `by ${service}, in what was asked for`
  const end = kind === 'login.success' ? 'which let it in' : 'which refused it'
  return trace.kind === 'said'
    ? `by ${service}, ${end}`
    : `by ${service}, whose challenge was answered with that password, ${end}`
}

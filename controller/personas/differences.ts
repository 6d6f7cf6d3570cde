import type { Persona } from '../../shared/schemas/persona.ts'

export type Difference = { field: string; a: string | undefined; b: string | undefined }

/** What tells list entries of a field apart, so that a longer list is not a difference in every line. */
const keys: Partial<Record<keyof Persona, (entry: never) => string>> = {
  users: ({ name }: { name: string }) => name,
  processes: ({ pid, command }: { pid: number; command: string }) => `${pid} ${command.slice(0, 40)}`,
  services: ({ kind, port }: { kind: string; port: number }) => `${kind}/${port}`,
  packages: ({ name }: { name: string }) => name,
  files: ({ path }: { path: string }) => path,
  honey: ({ username, path }: { username: string; path: string }) => `${username} in ${path}`,
}
const apart = new Set<keyof Persona>(['id', 'version', 'reasons'])

/** Where two personas differ, field by field; the reasons are left out, since they tell the same by words. */
export function differences(a: Persona, b: Persona): Difference[] {
  const fields = [...new Set([...Object.keys(a), ...Object.keys(b)])] as (keyof Persona)[]
  return fields.filter((field) => !apart.has(field)).flatMap((field) => ofField(field, a[field], b[field]))
}

function ofField(field: keyof Persona, a: unknown, b: unknown): Difference[] {
  const key = keys[field] as ((entry: unknown) => string) | undefined
  if (!key || !(Array.isArray(a) || Array.isArray(b))) return leaves(field, a, b)
  const [one, other] = [a, b].map((list) => new Map(((list ?? []) as unknown[]).map((entry) => [key(entry), entry])))
  const names = [...new Set([...(one?.keys() ?? []), ...(other?.keys() ?? [])])]
  return names.flatMap((name) => leaves(`${field} ${name}`, one?.get(name), other?.get(name)))
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function leaves(field: string, a: unknown, b: unknown): Difference[] {
  if (JSON.stringify(a) === JSON.stringify(b)) return []
  if (!isRecord(a) || !isRecord(b)) return [{ field, a: words(a), b: words(b) }]
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((name) =>
    leaves(`${field}.${name}`, a[name], b[name]),
  )
}

const words = (value: unknown): string | undefined =>
  value === undefined ? undefined : typeof value === 'string' ? value : JSON.stringify(value)

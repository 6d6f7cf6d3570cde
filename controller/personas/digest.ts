import { createHash } from 'node:crypto'

/** SHA-256 over the value as JSON, its keys in order: equal values have equal digests, however they were put together. */
export const digestOf = (value: unknown): string => createHash('sha256').update(canonical(value)).digest('hex')

export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )
}

import { MarshlightError } from '../../shared/errors.ts'

export type Named = { id: string; names: readonly string[] }

/**
 * The one of `all` that a person means by `value`: its whole id, one of its names, or the beginning of its id. Throws NOT_FOUND
 * (with the command that lists them) or AMBIGUOUS (with what it fits).
 */
export function oneOf<T>(all: readonly T[], value: string, kind: string, named: (one: T) => Named, command: string): T {
  const known = all.map((one) => ({ one, ...named(one) }))
  const exact = known.filter(({ id, names }) => id === value || names.includes(value))
  const found = exact.length > 0 || value === '' ? exact : known.filter(({ id }) => id.startsWith(value.toLowerCase()))
  const [first, ...others] = found
  if (!first) throw new MarshlightError('NOT_FOUND', { kind, value, command })
  if (others.length > 0)
    throw new MarshlightError('AMBIGUOUS', {
      kind,
      value,
      matches: found
        .slice(0, 5)
        .map(({ id, names }) => names[0] ?? id)
        .join(', '),
    })
  return first.one
}

import type { z } from 'zod'
import { MarshlightError } from '../../shared/errors.ts'

/** `value` as `schema` gives it, or USAGE naming the field and what was wrong. */
export function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value ?? {})
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = issue?.path ?? []
  const given = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value)
  throw new MarshlightError('USAGE', {
    what: `${path.join('.') || 'the request'} is ${JSON.stringify(given)?.slice(0, 120) ?? 'missing'}: ${issue?.message}`,
    command: 'marshlight',
  })
}

export const isDryRun = (query: unknown): boolean =>
  ['1', 'true'].includes((query as { dryRun?: string })?.dryRun ?? '')

import type { z } from 'zod'
import { type Template, template } from './template.ts'

/** What is wrong in a file of a template: where, with which value, and what to do. */
export type TemplateFault = { path: string; value: string; why: string; next: string }

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * A template as its file means it: with `extends`, what the file does not say is taken from that template, `recognise`
 * field by field, and `onlyRoles` keeps those roles of it. Gives the faults instead where it does not fit the schema.
 */
export function resolveTemplate(
  raw: unknown,
  known: readonly Template[],
): { template: Template } | { faults: TemplateFault[] } {
  if (!isRecord(raw))
    return { faults: [fault('the file', raw, 'a template is an object', 'Begin with {"id": ..., "extends": ...}.')] }
  const { onlyRoles, ...own } = raw
  let whole: Record<string, unknown> = own
  if (own.extends !== undefined) {
    const base = known.find(({ id }) => id === own.extends)
    if (!base) {
      const ids = known.map(({ id }) => id).join(', ')
      return { faults: [fault('extends', own.extends, 'there is no such template', `Name one of: ${ids}.`)] }
    }
    const { extends: _, ...inherited } = base
    whole = {
      ...inherited,
      ...own,
      recognise: { ...base.recognise, ...(isRecord(own.recognise) ? own.recognise : {}) },
    }
  }
  if (onlyRoles !== undefined) {
    const roles = Array.isArray(whole.roles) ? (whole.roles as { id?: string }[]) : []
    const kept = roles.filter(({ id }) => Array.isArray(onlyRoles) && onlyRoles.includes(id))
    if (kept.length === 0) {
      const ids = roles.map(({ id }) => id).join(', ')
      return { faults: [fault('onlyRoles', onlyRoles, 'no role is left', `Name some of: ${ids}.`)] }
    }
    whole = { ...whole, roles: kept }
  }
  const parsed = template.safeParse(whole)
  return parsed.success ? { template: parsed.data } : { faults: parsed.error.issues.map((one) => faultOf(one, whole)) }
}

function faultOf({ path, message, code, ...rest }: z.core.$ZodIssue, whole: unknown): TemplateFault {
  const value = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], whole)
  const keys = 'keys' in rest ? (rest.keys as string[]) : []
  const place = path.join('.') || 'the file'
  if (code === 'unrecognized_keys')
    return fault(
      place,
      keys.join(', '),
      'no such field',
      `Take ${keys.join(', ')} out; docs/personas.md lists the fields.`,
    )
  if (value === undefined)
    return fault(place, undefined, 'it is missing', `Add ${place}, or take it from another template by "extends".`)
  return fault(place, value, message, `Mend ${place}; docs/personas.md says what it holds.`)
}

const fault = (path: string, value: unknown, why: string, next: string): TemplateFault => ({
  path,
  value: value === undefined ? 'missing' : (JSON.stringify(value) ?? String(value)).slice(0, 120),
  why,
  next,
})

import type { Persona } from '../../shared/schemas/persona.ts'

/** An earlier version as version `version`: all of it but its number, with the reason beside its own. */
export function restored(version: number, old: Persona, { because, now }: { because: string; now: number }): Persona {
  const words = `version ${version}, ${new Date(now).toISOString().slice(0, 16)}Z: version ${old.version} again, since ${because}`
  return { ...old, version, reasons: [...old.reasons, { field: 'version', because: words.slice(0, 512) }].slice(-64) }
}

import { readPersona } from '../personas/index.ts'
import type { Sql } from '../store/port.ts'

/** A decoy's segment, and what its persona has on a port; `service` is missing where there is nothing. */
export async function placeOf(
  sql: Sql,
  decoy: string,
  port: number,
): Promise<{ segment: string; service?: string } | undefined> {
  const row = await sql.get<{ segment: string; persona: string; persona_version: number }>(
    'SELECT segment, persona, persona_version FROM decoys WHERE id = ?',
    decoy,
  )
  if (!row) return undefined
  const persona = await readPersona(sql, row.persona, row.persona_version)
  const ports = new Map((persona?.services ?? []).map((service) => [service.port, service.kind as string]))
  if (persona?.ssh) ports.set(22, 'ssh')
  if (persona?.telnet) ports.set(23, 'telnet')
  const service = ports.get(port)
  return { segment: row.segment, ...(service !== undefined && { service }) }
}

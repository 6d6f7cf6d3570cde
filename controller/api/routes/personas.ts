import { z } from 'zod'
import { MarshlightError } from '../../../shared/errors.ts'
import { listDecoys } from '../../decoys/index.ts'
import { listPersonas, type PersonaSummary, readCatalogue, readPersona, versionsOf } from '../../personas/index.ts'
import { listSegments } from '../../segments/index.ts'
import type { Sql } from '../../store/port.ts'
import { check } from '../body.ts'
import { oneOf } from '../one-of.ts'
import type { Routes } from '../port.ts'

const one = z.object({ ref: z.string().min(1).max(200) })
const at = z.object({ version: z.coerce.number().int().min(1).optional() })

export const personaRoutes: Routes = (app, { store }) => {
  app.get('/v1/personas', async () => {
    const segments = new Map((await listSegments(store)).map(({ id, name }) => [id, name]))
    const decoys = new Map((await listDecoys(store)).map(({ persona, ip }) => [persona, ip]))
    return {
      items: (await listPersonas(store)).map((persona) => ({
        ...persona,
        segmentName: segments.get(persona.segment),
        decoyIp: decoys.get(persona.id),
      })),
    }
  })
  app.get('/v1/personas/:ref', async ({ params, query }) => {
    const { id } = await personaFor(store, check(one, params).ref)
    return { persona: await body(store, id, check(at, query).version), versions: await versionsOf(store, id) }
  })
  app.get('/v1/personas/:ref/explain', async ({ params, query }) => {
    const { id } = await personaFor(store, check(one, params).ref)
    const { hostname, family, version, reasons } = await body(store, id, check(at, query).version)
    return { id, version, hostname, family, reasons }
  })
  app.get('/v1/catalogue', async () => ({
    items: readCatalogue().templates.map(({ id, label, os, kernels, ssh, telnet, hardware }) => ({
      id,
      label,
      system: os.prettyName,
      kernels: kernels.map(({ release }) => release),
      ssh: ssh?.packages.map(({ banner }) => banner) ?? [],
      telnet: telnet !== null,
      hardware,
    })),
  }))
}

/** By id, by the name of its host, or by the address of its decoy. The newest of one name is meant, if older decoys are gone. */
async function personaFor(sql: Sql, ref: string): Promise<PersonaSummary> {
  const decoys = await listDecoys(sql)
  const current = decoys.find(({ ip, hostname }) => ip === ref || hostname === ref)
  const all = await listPersonas(sql)
  const byDecoy = all.find(({ id }) => id === current?.persona)
  return (
    byDecoy ?? oneOf(all, ref, 'persona', ({ id, hostname }) => ({ id, names: [hostname] }), 'marshlight personas ls')
  )
}

async function body(sql: Sql, id: string, version?: number) {
  const persona = await readPersona(sql, id, version)
  if (persona) return persona
  throw new MarshlightError('NOT_FOUND', {
    kind: 'persona version',
    value: version ?? id,
    command: 'marshlight personas show',
  })
}

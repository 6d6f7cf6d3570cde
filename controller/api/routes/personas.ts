import { z } from 'zod'
import { MarshlightError } from '../../../shared/errors.ts'
import { networkLimits } from '../../../shared/network-limits.ts'
import { type Done, listDecoys, makeDecoyActions } from '../../decoys/index.ts'
import { listPersonas, type PersonaSummary, readPersona, rebuild, versionsOf } from '../../personas/index.ts'
import { listSegments } from '../../segments/index.ts'
import type { Sql } from '../../store/port.ts'
import { check, isDryRun } from '../body.ts'
import { changeOrTry } from '../dry-run.ts'
import { oneOf } from '../one-of.ts'
import type { Routes } from '../port.ts'
import { segmentFor } from './segments.ts'

const one = z.object({ ref: z.string().min(1).max(200) })
const at = z.object({ version: z.coerce.number().int().min(1).optional() })

const reason = z.string().min(1).max(300).default('an administrator asked for it')
const wish = z.object({ segment: z.string().min(1).max(200), family: z.string().max(64).optional() })

export const personaRoutes: Routes = (app, deps) => {
  const { store, bus } = deps
  const actions = makeDecoyActions(deps)
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
    const persona = await body(store, id, check(at, query).version)
    return { persona, limits: networkLimits(persona), versions: await versionsOf(store, id) }
  })
  app.get('/v1/personas/:ref/explain', async ({ params, query }) => {
    const { id } = await personaFor(store, check(one, params).ref)
    const persona = await body(store, id, check(at, query).version)
    const { hostname, family, version, reasons } = persona
    return { id, version, hostname, family, reasons, limits: networkLimits(persona) }
  })
  app.get('/v1/personas/:ref/rebuild', async ({ params, query }) => {
    const { id, version: newest, hostname } = await personaFor(store, check(one, params).ref)
    const { version = newest } = check(at, query)
    const { persona, ...found } = await rebuild(store, id, version, await actions.data())
    return { id, hostname, version, ...found, persona }
  })
  // Nothing is kept of it: another call draws another.
  app.get('/v1/persona-previews', async ({ query }) => {
    const { segment, family } = check(wish, query)
    const { id, name } = await segmentFor(store, segment)
    return { segment: name, persona: await actions.preview(store, id, family) }
  })
  app.post('/v1/personas/:ref/approve', async ({ params, body, query }) => {
    const { id } = await personaFor(store, check(one, params).ref)
    const why = check(z.strictObject({ reason }), body).reason
    return change(query, (sql) => actions.approve(sql, id, why))
  })
  app.post('/v1/personas/:ref/rollback', async ({ params, body, query }) => {
    const { id } = await personaFor(store, check(one, params).ref)
    const asked = check(z.strictObject({ version: z.int().min(1), reason }), body)
    return change(query, (sql) => actions.rollback(sql, id, asked.version, asked.reason))
  })
  app.get('/v1/catalogue', async () => {
    const { catalogue } = await actions.data()
    return {
      items: catalogue.templates.map(({ id, label, os, kernels, ssh, telnet, hardware, services, roles }) => ({
        id,
        label,
        system: os.prettyName,
        kernels: kernels.map(({ release }) => release),
        ssh: ssh?.packages.map(({ banner }) => banner) ?? [],
        telnet: telnet !== null,
        services: [...new Set([...services, ...roles.flatMap((role) => role.services)].map(({ kind }) => kind))],
        hardware,
      })),
    }
  })

  async function change(query: unknown, work: (sql: Sql) => Promise<Done>): Promise<Done & { dryRun: boolean }> {
    await actions.warm()
    const dryRun = isDryRun(query)
    const done = await changeOrTry(store, dryRun, work)
    if (!dryRun) bus.emit({ name: 'plan-changed', agents: [done.agent] })
    return { ...done, dryRun }
  }
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

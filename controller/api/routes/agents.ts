import { z } from 'zod'
import { isoNow } from '../../../shared/clock.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { hostname } from '../../../shared/schemas/common.ts'
import { hardware } from '../../../shared/schemas/hardware.ts'
import type { Deps } from '../../deps.ts'
import {
  type Agent,
  decoyCounts,
  deviationsOfAll,
  findAgent,
  givenTo,
  inventory,
  isSelected,
  keyHeldBy,
  lastWords,
  listAgents,
  markRevoked,
  removeAgent,
  renameAgent,
  selection,
  tagsOf,
  tagsOfAll,
} from '../../fleet/index.ts'
import { runningOfAll } from '../../updates/index.ts'
import { check, isDryRun } from '../body.ts'
import type { Routes } from '../port.ts'
import type { AgentsPorts } from './agent-invitations.ts'

const revokeBody = z.strictObject({ reason: z.string().max(256).default('by an administrator') })
const listQuery = selection.extend({ drifted: z.stringbool().default(false) })
const renameBody = z.strictObject({ name: hostname })
type Named = { Params: { agent: string } }

/** /v1/agents: who is enrolled, how they are, revocation. */
export const agentsRoutes =
  (ports: Pick<AgentsPorts, 'cutOff'>): Routes =>
  (app, deps) => {
    const { store, bus, clock } = deps
    app.get('/v1/agents', async ({ query }) => {
      const { drifted, ...wish } = check(listQuery, query)
      const tags = await tagsOfAll(store)
      const deviations = drifted ? await deviationsOfAll(store, await runningOfAll(store)) : undefined
      const items = (await listAgents(store)).flatMap((agent) => {
        const [own, differs] = [tags.get(agent.id) ?? [], deviations?.get(agent.id) ?? []]
        if (!isSelected(agent, own, wish) || (drifted && differs.length === 0)) return []
        return [{ ...agent, tags: own, ...(drifted && { deviations: differs }) }]
      })
      return { items }
    })
    app.get('/v1/agents/inventory', async () => ({ items: await inventory(store, await runningOfAll(store)) }))
    app.get<Named>('/v1/agents/:agent', async ({ params }) => details(deps, await findAgent(store, params.agent)))

    app.post<Named>('/v1/agents/:agent/revoke', async ({ params, body, query }) => {
      const { reason } = check(revokeBody, body)
      const agent = await findAgent(store, params.agent)
      if (agent.status === 'revoked')
        throw new MarshlightError('CONFLICT', {
          what: `${agent.name} is revoked already`,
          next: 'Nothing is to be done.',
        })
      if (!isDryRun(query)) {
        await store.tx((sql) => markRevoked(sql, agent.id, reason, isoNow(clock)))
        await ports.cutOff(agent.id)
        bus.emit({ name: 'presence', agent: agent.id, status: 'offline' })
        bus.emit({ name: 'plan-changed', agents: 'all' })
      }
      return { ...agent, status: 'revoked' }
    })

    app.put<Named>('/v1/agents/:agent', async ({ params, body, query }) => {
      const { name } = check(renameBody, body)
      const agent = await findAgent(store, params.agent)
      const other = await store.get<{ id: string }>('SELECT id FROM agents WHERE name = ?', name)
      if (other && other.id !== agent.id)
        throw new MarshlightError('CONFLICT', { what: `the name ${name} is in use`, next: 'Choose another.' })
      if (!isDryRun(query)) await store.tx((sql) => renameAgent(sql, agent.id, name))
      return { ...agent, name }
    })

    app.delete<Named>('/v1/agents/:agent', async ({ params, query }) => {
      const agent = await findAgent(store, params.agent)
      if (isDryRun(query) && agent.status === 'revoked') return agent
      await store.tx((sql) => removeAgent(sql, agent, isoNow(clock)))
      return agent
    })
  }

async function details({ store }: Deps, agent: Agent) {
  const health = await store.get<{ at: string; body: string }>(
    'SELECT at, body FROM agent_health WHERE agent = ?',
    agent.id,
  )
  const runs = await runningOfAll(store)
  const { wanted = 0, ready = 0 } = (await decoyCounts(store)).find((one) => one.agent === agent.id) ?? {}
  const box = await store.get<{ body: string; address: string | null; since: string }>(
    'SELECT body, address, since FROM agent_hardware WHERE agent = ?',
    agent.id,
  )
  return {
    ...agent,
    tags: await tagsOf(store, agent.id),
    /** The box it is bound to: hashes, since when, and whence it connects. */
    hardware: box ? { ...hardware.parse(JSON.parse(box.body)), address: box.address, since: box.since } : null,
    keyHeldBy: await keyHeldBy(store, agent.id),
    running: runs.get(agent.id) ?? null,
    decoys: { wanted, ready },
    deviations: (await deviationsOfAll(store, runs, agent.id)).get(agent.id) ?? [],
    /** Given by a renewal, and not used yet. */
    nextCertificate: (await givenTo(store, agent.id)) ?? null,
    renewedAt:
      (
        await store.get<{ at: string }>(
          "SELECT max(at) AS at FROM agent_events WHERE agent = ? AND kind = 'renewed'",
          agent.id,
        )
      )?.at ?? null,
    documents: await store.all(
      `SELECT d.kind, d.revision, d.issued_at AS issuedAt, d.expires_at AS expiresAt, s.revision AS heldRevision, s.outcome, s.at, s.code, s.reason
       FROM desired d LEFT JOIN document_standing s ON s.agent = d.agent AND s.document = d.kind WHERE d.agent = ?`,
      agent.id,
    ),
    streams: await store.all(
      'SELECT stream, committed, dead, lost, duplicated, last_at AS lastAt FROM ingest_totals WHERE agent = ? ORDER BY stream',
      agent.id,
    ),
    said: await lastWords(store, agent.id, 5),
    health: health ? (JSON.parse(health.body) as Record<string, unknown>) : null,
    history: await store.all(
      'SELECT at, kind, detail FROM agent_events WHERE agent = ? ORDER BY id DESC LIMIT 20',
      agent.id,
    ),
  }
}

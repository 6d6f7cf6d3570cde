import { z } from 'zod'
import { isoNow } from '../../../shared/clock.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { untrusted, utc } from '../../../shared/schemas/common.ts'
import type { Reply } from '../../../shared/schemas/desired-state.ts'
import { type Agent, findAgent, markRevoked, noteEvent } from '../../fleet/index.ts'
import { partsKept, readBlob } from '../../store/blobs.ts'
import { check, isDryRun } from '../body.ts'
import type { Routes } from '../port.ts'
import type { AgentsPorts } from './agent-invitations.ts'

const logsQuery = z.object({ lines: z.coerce.number().int().min(1).max(2000).default(200), since: utc.optional() })
const wipeBody = z.strictObject({ reason: z.string().max(256).default('wiped by an administrator') })

/** What agents answer: text from outside, bounded. */
const logs = z.object({
  from: z.enum(['journal', 'memory']),
  lines: z.array(untrusted(16_384)).max(2000),
  leftOut: z.int().min(0),
})
const finding = z.object({
  name: untrusted(64),
  ok: z.boolean(),
  detail: untrusted(4096),
  next: untrusted(1024).optional(),
  follows: untrusted(64).optional(),
})
const findings = z.object({ ok: z.boolean(), checks: z.array(finding).max(64) })
const announced = z.object({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().min(1),
  parts: z.int().min(1),
  files: z.array(untrusted(128)).max(64),
})
export type AgentLogs = z.infer<typeof logs>
export type Findings = z.infer<typeof findings>
export type AnnouncedBundle = z.infer<typeof announced>

const withinMs = { logs: 20_000, reboot: 10_000, doctor: 100_000, 'support-bundle': 120_000 }
type Named = { Params: { agent: string } }

/** What is asked of one box: its log, a restart, its doctor, a support bundle, its end. */
export const agentCareRoutes =
  (ports: Pick<AgentsPorts, 'cutOff'>): Routes =>
  (app, { store, bus, clock, requests }) => {
    const note = (agent: Agent, kind: string, detail: string) =>
      store.tx((sql) => noteEvent(sql, { agent: agent.id, at: isoNow(clock), kind, detail }))

    app.get<Named>('/v1/agents/:agent/logs', async ({ params, query }): Promise<AgentLogs> => {
      const { lines, since } = check(logsQuery, query)
      const op = { name: 'logs' as const, lines, ...(since !== undefined && { since }) }
      return read(logs, await requests.send(params.agent, op, { timeoutMs: withinMs.logs }))
    })

    app.post<Named>('/v1/agents/:agent/doctor', async ({ params }): Promise<Findings> => {
      return read(findings, await requests.send(params.agent, { name: 'doctor' }, { timeoutMs: withinMs.doctor }))
    })

    app.post<Named>('/v1/agents/:agent/reboot', async ({ params, query }) => {
      const agent = await findAgent(store, params.agent)
      if (isDryRun(query)) return { ...agent, inSeconds: null }
      const reply = await requests.send(agent.id, { name: 'reboot' }, { timeoutMs: withinMs.reboot })
      const { inSeconds } = read(z.object({ inSeconds: z.number().min(0).max(3600) }), reply)
      await note(agent, 'reboot', `restarts in ${inSeconds} s, as was asked`)
      return { ...agent, inSeconds }
    })

    app.post<Named>('/v1/agents/:agent/support-bundle', async ({ params }): Promise<AnnouncedBundle> => {
      const op = { name: 'support-bundle' as const }
      return read(announced, await requests.send(params.agent, op, { timeoutMs: withinMs['support-bundle'] }))
    })

    app.get<{ Params: { sha256: string } }>('/v1/support-bundles/:sha256', async ({ params: { sha256 } }) => {
      const whole = (await readBlob(store, sha256))?.kind === 'support'
      return { sha256, whole, parts: whole ? 0 : await partsKept(store, sha256) }
    })

    app.get<{ Params: { sha256: string } }>('/v1/support-bundles/:sha256/data', async ({ params }, reply) => {
      const blob = await readBlob(store, params.sha256)
      if (blob?.kind !== 'support')
        throw new MarshlightError('NOT_FOUND', {
          kind: 'support bundle',
          value: params.sha256,
          command: 'marshlight agents support-bundle',
        })
      reply.header('content-disposition', 'attachment').type('application/gzip')
      return blob.data
    })

    /**
     * Revoked, and with that told to wipe: the signed order waits for the box, which asks for it as soon as its
     * certificate is refused.
     */
    app.post<Named>('/v1/agents/:agent/wipe', async ({ params, body, query }) => {
      const { reason } = check(wipeBody, body)
      const agent = await findAgent(store, params.agent)
      if (isDryRun(query)) return agent
      if (agent.status !== 'revoked') {
        await store.tx((sql) => markRevoked(sql, agent.id, reason, isoNow(clock)))
        await ports.cutOff(agent.id)
        bus.emit({ name: 'plan-changed', agents: 'all' })
      }
      return { ...agent, status: 'revoked' }
    })
  }

/** What the box answered. Throws CONFLICT with its words where it refused, or said what nobody can read. */
function read<T>(schema: z.ZodType<T>, { ok, result, error }: Reply): T {
  if (!ok)
    throw new MarshlightError('CONFLICT', {
      what: error?.message ?? 'the box refused, without a reason',
      next: 'See `marshlight agents show`, and ask again.',
    })
  const parsed = schema.safeParse(result)
  if (parsed.success) return parsed.data
  throw new MarshlightError('CONFLICT', {
    what: `the answer of the box cannot be read: ${parsed.error.issues[0]?.path.join('.')} ${parsed.error.issues[0]?.message}`,
    next: 'Is its version older than the controller’s? See `marshlight agents show`.',
  })
}

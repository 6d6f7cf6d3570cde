import { MarshlightError } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import type { Reply, Request } from '../../shared/schemas/desired-state.ts'
import type { Signed } from '../../shared/schemas/envelope.ts'
import { signDocument } from '../../shared/signing.ts'
import type { Deps, Requests } from '../deps.ts'
import { findAgent } from './agents.ts'
import type { Authority } from './authority.ts'

type Waiting = { agent: string; resolve(reply: Reply): void }

/**
 * Signed one-shot requests over `publish`, which waits, until the signal, for an agent that does not listen yet; `accept`
 * takes the replies that come back.
 */
export function makeRequests(
  deps: Pick<Deps, 'store' | 'clock' | 'log'>,
  authority: Pick<Authority, 'signingKey'>,
  publish: (agent: string, request: Signed, signal: AbortSignal) => Promise<void>,
): Requests & { accept(agent: string, reply: Reply): void } {
  const { store, clock, log } = deps
  const waiting = new Map<string, Waiting>()

  return {
    async send(what, op, { timeoutMs = 10_000 } = {}) {
      const agent = await findAgent(store, what)
      const offline = new MarshlightError('CONFLICT', {
        what: `the agent ${agent.name} is ${agent.status === 'revoked' ? 'revoked' : 'not connected'}`,
        next: 'See `marshlight agents show`.',
      })
      if (agent.status === 'revoked' || agent.presence !== 'online') throw offline
      const id = newId(clock.now())
      const now = clock.now()
      const request: Request = {
        kind: 'request',
        agent: agent.id,
        id,
        issuedAt: new Date(now).toISOString(),
        expiresAt: new Date(now + timeoutMs).toISOString(),
        op,
      }
      const answered = Promise.withResolvers<Reply>()
      const late = new AbortController()
      const timer = setTimeout(() => {
        const what = `${op.name} on ${agent.name}`
        const next = 'See `marshlight agents show`.'
        answered.reject(new MarshlightError('TIMEOUT', { what, seconds: timeoutMs / 1000, next }))
        late.abort()
      }, timeoutMs)
      // A controller that stops does not wait for an answer that may never come.
      timer.unref()
      waiting.set(id, { agent: agent.id, resolve: answered.resolve })
      try {
        publish(agent.id, signDocument(request, authority.signingKey), late.signal).catch(answered.reject)
        return await answered.promise
      } finally {
        clearTimeout(timer)
        waiting.delete(id)
      }
    },
    accept(agent, reply) {
      const asked = waiting.get(reply.id)
      if (asked?.agent === agent) asked.resolve(reply)
      else log.info({ agent, request: reply.id }, 'a reply came that nobody waits for')
    },
  }
}

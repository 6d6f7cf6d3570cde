import { z } from 'zod'
import type { Agent } from './agents.ts'
import { tag } from './tags.ts'

/** Which agents somebody wants to see. Absent: whichever. */
export const selection = z.object({
  site: z.string().min(1).max(64).optional(),
  segment: z.string().min(1).max(64).optional(),
  tag: tag.optional(),
  state: z.enum(['online', 'offline', 'unknown', 'revoked']).optional(),
  version: z.string().min(1).max(64).optional(),
})
export type Selection = z.infer<typeof selection>

/** `online`, `offline`, `unknown`, or `revoked` whatever its presence. */
export const stateOf = ({ status, presence }: Pick<Agent, 'status' | 'presence'>): string =>
  status === 'enrolled' ? presence : status

/** Whether it fits all that is wished for. A segment may be named with its site: `hq/office`. */
export function isSelected(agent: Agent, tags: readonly string[], wish: Selection): boolean {
  const { site, segment, tag, state, version } = wish
  const stands = agent.segments.some(
    (one) =>
      (site === undefined || one.site === site) &&
      (segment === undefined || one.name === segment || `${one.site}/${one.name}` === segment),
  )
  return (
    ((site === undefined && segment === undefined) || stands) &&
    (tag === undefined || tags.includes(tag)) &&
    (state === undefined || stateOf(agent) === state) &&
    (version === undefined || agent.version === version)
  )
}

import type { z } from 'zod'
import type { Reply } from '../../shared/schemas/desired-state.ts'
import type { StreamName } from '../../shared/schemas/envelope.ts'
import type { Hello, Presence } from '../../shared/schemas/state.ts'
import { type ParsedTopic, topicMap } from '../../shared/topics.ts'

export type RouterPorts = {
  accept(agent: string, stream: StreamName, payload: Uint8Array): Promise<void>
  bury(agent: string, topic: string, why: string, payload: Uint8Array): Promise<void>
  onHello(agent: string, hello: Hello): Promise<void>
  onPresence(agent: string, presence: Presence): Promise<void>
  onReply(agent: string, reply: Reply): void
}

const smallBytes = 262_144

/**
 * From the topic map to the rooms: batches as bytes, everything else validated first. What does not fit goes to the dead
 * letters and counts as taken.
 */
export function makeRouter(
  ports: RouterPorts,
): (agent: string, topic: ParsedTopic, payload: Uint8Array) => Promise<void> {
  return async (agent, { name, stream }, payload) => {
    if (stream) return ports.accept(agent, stream, payload)
    const bury = (why: string) => ports.bury(agent, name, why, payload)
    const read = <T>(schema: z.ZodType<T>): T | string => {
      if (payload.byteLength > smallBytes) return `it has ${payload.byteLength} bytes, more than ${smallBytes}`
      const parsed = schema.safeParse(parseJson(payload))
      if (parsed.success) return parsed.data
      const issue = parsed.error.issues[0]
      return `${issue?.path.join('.')}: ${issue?.message}`
    }
    if (name === 'hello') {
      const hello = read(topicMap.hello.schema)
      if (typeof hello === 'string') return bury(hello)
      if (hello.agent !== agent) return bury(`it names agent ${hello.agent}`)
      return ports.onHello(agent, hello)
    }
    if (name === 'presence') {
      const presence = read(topicMap.presence.schema)
      return typeof presence === 'string' ? bury(presence) : ports.onPresence(agent, presence)
    }
    if (name === 'reply') {
      const reply = read(topicMap.reply.schema)
      return typeof reply === 'string' ? bury(reply) : ports.onReply(agent, reply)
    }
  }
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8'))
  } catch {
    return undefined
  }
}

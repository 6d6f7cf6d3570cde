import type { z } from 'zod'
import { reply } from './schemas/desired-state.ts'
import { acknowledgement, type StreamName, signed, streamNames } from './schemas/envelope.ts'
import { hello, presence } from './schemas/state.ts'

/** All topics stand below this; it changes when the contract breaks. */
export const topicRoot = 'marshlight/v1'

type TopicRule = { qos: 0 | 1; retain: boolean; from: 'agent' | 'controller'; schema: z.ZodType | 'batch' }

/**
 * The one map of topics, below `marshlight/v1/<agent>/`. Schema, QoS, retain, and who may publish.
 * `plan`, `blocks` and `request` carry a signed body of that schema.
 */
export const topicMap = {
  hello: { qos: 1, retain: false, from: 'agent', schema: hello },
  presence: { qos: 1, retain: true, from: 'agent', schema: presence },
  reply: { qos: 1, retain: false, from: 'agent', schema: reply },
  up: { qos: 1, retain: false, from: 'agent', schema: 'batch' },
  ack: { qos: 1, retain: false, from: 'controller', schema: acknowledgement },
  plan: { qos: 1, retain: true, from: 'controller', schema: signed },
  blocks: { qos: 1, retain: true, from: 'controller', schema: signed },
  request: { qos: 1, retain: false, from: 'controller', schema: signed },
} as const satisfies Record<string, TopicRule>

export type TopicName = keyof typeof topicMap
export type ParsedTopic = { agent: string; name: TopicName; stream?: StreamName }

export const topicOf = (agent: string, name: Exclude<TopicName, 'up'>): string => `${topicRoot}/${agent}/${name}`
export const upTopic = (agent: string, stream: StreamName): string => `${topicRoot}/${agent}/up/${stream}`

/** The parts of a topic of ours, or undefined for any other. */
export function parseTopic(topic: string): ParsedTopic | undefined {
  if (!topic.startsWith(`${topicRoot}/`)) return undefined
  const [agent, name, stream, ...more] = topic.slice(topicRoot.length + 1).split('/')
  if (!agent || !name || !Object.hasOwn(topicMap, name) || more.length > 0) return undefined
  if (name !== 'up') return stream === undefined ? { agent, name: name as TopicName } : undefined
  return streamNames.includes(stream as StreamName) ? { agent, name, stream: stream as StreamName } : undefined
}

/** Whether an agent may publish to, or subscribe to, this topic: its own, in its own direction, by exact name. */
export const agentMayPublish = (agent: string, topic: string): boolean => {
  const parsed = parseTopic(topic)
  return parsed !== undefined && parsed.agent === agent && topicMap[parsed.name].from === 'agent'
}
export const agentMaySubscribe = (agent: string, topic: string): boolean => {
  const parsed = parseTopic(topic)
  return parsed !== undefined && parsed.agent === agent && topicMap[parsed.name].from === 'controller'
}

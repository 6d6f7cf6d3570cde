import { request } from 'node:https'
import { loadIdentity } from '../../agent/enrol/index.ts'
import { encodeBatch } from '../../shared/batch.ts'
import { newId } from '../../shared/ids.ts'
import type { Signed } from '../../shared/schemas/envelope.ts'
import type { DesiredUpdate, UpdatePhase } from '../../shared/schemas/update.ts'
import { topicOf, upTopic } from '../../shared/topics.ts'
import { clientOptions, connected } from './controller-world.ts'

/**
 * The link of a box and nothing behind it: it says over real MQTT what a test has it say of its updates, by the contract.
 * It fetches and installs nothing by itself.
 */
export async function toldBox(stateDir: string, port: number) {
  const identity = await loadIdentity(stateDir)
  const client = await connected(clientOptions(identity, port))
  const { agent } = identity
  const epoch = newId()
  let next = 0
  let update: DesiredUpdate | undefined
  const waiting = new Set<() => void>()
  client.on('message', (topic, payload) => {
    if (topic !== topicOf(agent, 'plan')) return
    const { body } = JSON.parse(payload.toString()) as Signed
    update = (JSON.parse(body) as { update?: DesiredUpdate }).update
    for (const look of waiting) look()
  })
  await client.subscribeAsync(topicOf(agent, 'plan'), { qos: 1 })

  const send = (record: object) => {
    const head = { v: 1 as const, epoch, first: next++, count: 1, losses: [] }
    return client.publishAsync(upTopic(agent, 'state'), encodeBatch(head, [JSON.stringify(record)]), { qos: 1 })
  }
  return {
    agent,
    identity,
    desired: () => update,
    /** Resolves once the plan's update is so. */
    until(fits: (update: DesiredUpdate | undefined) => boolean): Promise<DesiredUpdate | undefined> {
      return new Promise((resolve) => {
        const look = () => {
          if (!fits(update)) return
          waiting.delete(look)
          resolve(update)
        }
        waiting.add(look)
        look()
      })
    },
    hello: (version: string) =>
      client.publishAsync(
        topicOf(agent, 'hello'),
        JSON.stringify({
          ...{ at: new Date().toISOString(), agent, version, roles: ['enforcer'], hostname: 'box' },
          ...{ running: { arch: 'amd64', agent: version }, planRevision: 0, blocksRevision: 0, streams: {} },
        }),
        { qos: 1 },
      ),
    tell: (phase: UpdatePhase, version: string, more: object = {}) =>
      send({
        ...{ type: 'update', at: new Date().toISOString(), rollout: update?.rollout, version: '9.9.9', phase },
        ...{ running: { arch: 'amd64', agent: version }, ...more },
      }),
    leave: () => client.endAsync(true),
  }
}

/** One request to the enrolment server, with these headers, by the certificate given. */
export function fetched(
  port: number,
  trust: { ca: string; key?: string; certificate?: string },
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const { ca, key, certificate: cert } = trust
    const sent = request(
      {
        ...{ host: '127.0.0.1', port, path, headers, ca, agent: false, checkServerIdentity: () => undefined },
        ...(key && { key, cert }),
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        )
      },
    )
    sent.on('error', reject).end()
  })
}

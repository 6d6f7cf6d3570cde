import { join } from 'node:path'
import { type Identity, serverError } from '../../agent/enrol/index.ts'
import { type LinkHandlers, makeLink } from '../../agent/link/index.ts'
import type { Spool } from '../../agent/spool/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { newId } from '../../shared/ids.ts'
import { silentLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import type { BlockList } from '../../shared/schemas/desired-state.ts'
import { signDocument } from '../../shared/signing.ts'
import { openSpool, tempFolder } from '../unit/spool/records.ts'
import { TestController } from './agent-test-controller.ts'
import { makeTestPki } from './agent-test-pki.ts'

export const pki = await makeTestPki()

export type Agent = Awaited<ReturnType<typeof makeAgent>>

export async function makeAgent(
  t: Parameters<typeof tempFolder>[0],
  controller: TestController,
  given: Partial<LinkHandlers> & { folder?: string; ackTimeoutMs?: number; days?: number } = {},
) {
  const folder = given.folder ?? (await tempFolder(t))
  const agent = newId()
  const pair = await pki.agentPair(agent, given.days)
  const identity: Identity = {
    v: 1,
    agent,
    name: 'test',
    roles: ['decoys'],
    certificate: pair.certificate,
    key: pair.key,
    ca: pki.ca,
    mqtt: { host: '127.0.0.1', port: controller.port },
    signingKey: pki.signingPem,
  }
  const spool = await openSpool(join(folder, 'spool'))
  const got = { plans: [] as number[], blocks: [] as number[], requests: [] as string[] }
  const make = () =>
    makeLink(
      {
        identity,
        checkServer: serverError,
        folder: join(folder, 'documents'),
        spool,
        report: (stream, records) => spool.append(stream, records),
        handlers: {
          onPlan: (plan) => {
            got.plans.push(plan.revision)
            controller.events.emit('change')
          },
          onBlocks: (blocks) => {
            got.blocks.push(blocks.revision)
            controller.events.emit('change')
          },
          onRequest: async ({ id }) => {
            got.requests.push(id)
            return { ok: true, result: { pong: true } }
          },
          ...given,
        },
        clock: systemClock,
        random: systemRandom,
        log: silentLog,
        about: { version: '0.0.0', hostname: 'box' },
      },
      {
        retry: { firstMs: 20, capMs: 200, refusedMs: 200 },
        uplink: { ackTimeoutMs: given.ackTimeoutMs ?? 2000 },
      },
    )
  const link = make()
  t.teardown(async () => {
    await link.stop()
    await spool.stop()
  })
  return { agent, folder, spool, link, got, make, serial: pair.serial }
}

export async function makeController(t: Parameters<typeof tempFolder>[0]): Promise<TestController> {
  const controller = new TestController(pki)
  await controller.start()
  t.teardown(() => controller.stop())
  return controller
}

export const start = (agent: Agent) => agent.link.start(new AbortController().signal)

export const blocksFor = (agent: string, revision: number, more: Partial<BlockList> = {}): BlockList => ({
  kind: 'blocks',
  agent,
  revision,
  issuedAt: new Date().toISOString(),
  expiresAt: new Date(Date.now() + 60_000).toISOString(),
  entries: [],
  neverBlock: [],
  ...more,
})
export const sign = (document: unknown) => signDocument(document, pki.signingKey)

export const drained = (spool: Spool) => () => {
  const { acknowledged, next } = spool.standing('state')
  return acknowledged === next
}

/** For what the agent tells nobody of: looked at every few milliseconds. */
export async function eventually(what: string, done: () => boolean, ms = 10_000): Promise<void> {
  for (const deadline = Date.now() + ms; !done(); await systemClock.sleep(10))
    if (Date.now() > deadline) throw new Error(`${what} did not come within ${ms} ms`)
}

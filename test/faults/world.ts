import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { watch } from 'node:fs'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { enrol, loadIdentity } from '../../agent/enrol/index.ts'
import { makeClient } from '../../controller/cli/client.ts'
import { socketIn } from '../../controller/serve/index.ts'
import { encodeBatch } from '../../shared/batch.ts'
import { wordsOf } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import type { Acknowledgement, StreamName } from '../../shared/schemas/envelope.ts'
import { topicOf, upTopic } from '../../shared/topics.ts'
import { clientOptions, connected } from '../integration/controller-world.ts'
import { prepareController } from './controller.ts'

type Cleanup = { teardown(work: () => unknown): void }

const root = join(import.meta.dirname, '../..')

/** A program of ours as a process, to its end. */
export const command = (program: 'marshlight' | 'marshlight-agent', ...args: string[]) =>
  commandWith({}, program, ...args)

/** The same with variables of the environment. */
export async function commandWith(env: Record<string, string>, program: string, ...args: string[]) {
  const path = join(root, program === 'marshlight' ? 'controller/cli.ts' : 'agent/main.ts')
  const child = spawn(process.execPath, [path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  const [out, err]: [Buffer[], Buffer[]] = [[], []]
  child.stdout.on('data', (bytes) => out.push(bytes))
  child.stderr.on('data', (bytes) => err.push(bytes))
  const [code] = await once(child, 'close')
  return { code: code as number, out: Buffer.concat(out).toString('utf8'), err: Buffer.concat(err).toString('utf8') }
}

/** A running controller (`marshlight serve`) in `dataDir`, or a folder of its own. */
export async function controllerWorld(t: Cleanup, dataDir?: string, settings: Record<string, unknown> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'marshlight-faults-'))
  const at = dataDir ?? join(folder, 'controller')
  const logPath = join(folder, 'log')
  const log = await open(logPath, 'a')
  const ended: string[] = []
  const controller = await prepareController(at, log.fd, (what) => ended.push(what), settings)
  t.teardown(async () => {
    await controller.victim.kill()
    await log.close()
    await rm(folder, { recursive: true, force: true })
  })
  await controller.started().catch(async (error) => {
    throw new Error(`${wordsOf(error)}: ${await readFile(logPath, 'utf8')}`)
  })
  return {
    ...controller,
    dataDir: at,
    ended,
    api: makeClient(() => ({ socket: socketIn(at) })),
    /** Until the log has a line with `words`. */
    async logged(words: string, ms = 30_000): Promise<void> {
      const signal = AbortSignal.timeout(ms)
      const watcher = watch(logPath)
      try {
        while (!(await readFile(logPath, 'utf8')).includes(words)) await once(watcher, 'change', { signal })
      } finally {
        watcher.close()
      }
    },
    async newAgent(name: string) {
      const stateDir = join(folder, name)
      await enrol({ stateDir, token: await controller.invite(), version: '0', now: Date.now() })
      return speaker(await loadIdentity(stateDir), controller.ports.mqtt, t)
    },
  }
}

/** An enrolled agent that says what it is told to. */
async function speaker(identity: Awaited<ReturnType<typeof loadIdentity>>, port: number, t: Cleanup) {
  const client = await connected(clientOptions(identity, port))
  t.teardown(() => client.endAsync(true))
  const epoch = newId()
  const [sent, acknowledged] = [new Map<StreamName, number>(), new Map<StreamName, number>()]
  const told = new EventEmitter()
  client.on('message', (topic, payload) => {
    if (!topic.endsWith('/ack')) return
    const { stream, next } = JSON.parse(payload.toString('utf8')) as Acknowledgement
    acknowledged.set(stream, next)
    told.emit('acknowledged')
  })
  await client.subscribeAsync(topicOf(identity.agent, 'ack'), { qos: 1 })
  return {
    agent: identity.agent,
    identity,
    client,
    epoch,
    acknowledged: (stream: StreamName) => acknowledged.get(stream) ?? 0,
    /** Sends one batch, JSON documents or lines. Returns the number that comes after it. */
    send(stream: StreamName, records: readonly (object | string)[]): number {
      const first = sent.get(stream) ?? 0
      const lines = records.map((record) => (typeof record === 'string' ? record : JSON.stringify(record)))
      sent.set(stream, first + lines.length)
      const batch = encodeBatch({ v: 1, epoch, first, count: lines.length, losses: [] }, lines)
      client.publish(upTopic(identity.agent, stream), batch, { qos: 1 }, () => {})
      return first + lines.length
    },
    /** Until everything of `stream` below `next` is committed. */
    async committed(stream: StreamName, next: number, ms = 30_000): Promise<void> {
      const signal = AbortSignal.timeout(ms)
      while ((acknowledged.get(stream) ?? 0) < next) await once(told, 'acknowledged', { signal })
    },
  }
}

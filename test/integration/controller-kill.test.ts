import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { MqttClient } from 'mqtt'
import t from 'tap'
import { coreTables } from '../../controller/store/core-tables.ts'
import { openSqlite } from '../../controller/store/sqlite.ts'
import { newId } from '../../shared/ids.ts'
import type { Acknowledgement } from '../../shared/schemas/envelope.ts'
import { topicOf, upTopic } from '../../shared/topics.ts'
import { eventBatch, eventLine } from '../unit/ingest/world.ts'
import { type AgentIdentity, clientOptions, connected, newDataDir, runCentre } from './controller-world.ts'

const kills = 8
const perBatch = 50

async function start(dataDir: string): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'controller-process.ts'), dataDir, '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')) as [string]
  return { child, port: Number(line) }
}

/** Sends on from what is acknowledged, a window at a time, until `stop` or the line breaks. Returns the last acknowledged number. */
async function feed(
  identity: AgentIdentity,
  port: number,
  epoch: string,
  from: number,
  enough: (acked: number) => void,
): Promise<number> {
  let acked = from
  let sent = from
  const client: MqttClient = await connected(clientOptions(identity, port))
  const broken = new Promise<void>((resolve) => client.once('close', resolve))
  client.on('error', () => {})
  const fill = () => {
    while (client.connected && sent < acked + 20 * perBatch) {
      client.publish(upTopic(identity.agent, 'events'), eventBatch(epoch, sent, perBatch), { qos: 1 }, () => {})
      sent += perBatch
    }
  }
  client.on('message', (_topic, payload) => {
    const ack = JSON.parse(payload.toString('utf8')) as Acknowledgement
    acked = Math.max(acked, ack.next)
    enough(acked)
    fill()
  })
  await client.subscribeAsync(topicOf(identity.agent, 'ack'), { qos: 1 })
  fill()
  await broken
  client.end(true)
  return acked
}

t.test(
  'killed again and again while it takes records, it loses nothing acknowledged and doubles nothing',
  async (t) => {
    const dataDir = await newDataDir()
    t.teardown(() => rmSync(dataDir, { recursive: true }))
    const setUp = await runCentre(dataDir)
    const identity = await setUp.newAgent()
    await setUp.stop()
    const epoch = newId()
    let acked = 0
    for (let kill = 0; kill < kills; kill++) {
      const { child, port } = await start(dataDir)
      const exited = once(child, 'exit')
      // Somewhere within a commit or between two: a number of acknowledgements that differs each time.
      const until = acked + 100 + ((kill * 1373) % 4000)
      const reached = await feed(identity, port, epoch, acked, (now) => {
        if (now >= until) child.kill('SIGKILL')
      })
      await exited
      t.ok(reached >= acked, `after kill ${kill + 1} at ${reached}`)
      acked = reached
    }
    const store = openSqlite(join(dataDir, 'marshlight.db'), [coreTables])
    t.teardown(() => store.close())
    const rows = await store.all<{ number: number; body: string }>('SELECT number, body FROM records ORDER BY number')
    t.ok(rows.length >= acked, `${acked} acknowledged, ${rows.length} stored`)
    t.ok(
      rows.every(({ number, body }, i) => number === i && body === eventLine(number)),
      'each once, in its place',
    )
    t.match(await store.get('SELECT next FROM streams'), { next: rows.length })
  },
)

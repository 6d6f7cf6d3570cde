import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { initController } from '../../controller/fleet/index.ts'
import { command, controllerWorld } from '../faults/world.ts'
import { eventLine } from '../unit/ingest/world.ts'
import { makeTestPki } from './agent-test-pki.ts'
import { clientOptions, connected } from './controller-world.ts'

t.setTimeout(230_000)

type Cleanup = { teardown(work: () => unknown): void }

async function dataFolder(t: Cleanup, sizeKb?: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'marshlight-faults-'))
  if (sizeKb !== undefined) execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeKb}k`, 'tmpfs', folder])
  t.teardown(() => {
    if (sizeKb !== undefined) execFileSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

const serve = (dataDir: string) => command('marshlight', '--data', dataDir, 'serve', '--log', 'silent')
const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')
const events = (first: number, count: number) => Array.from({ length: count }, (_, i) => eventLine(first + i))

t.test('a wrong configuration is refused with file, path, value and reason, and a next step', async (t) => {
  const dataDir = await dataFolder(t)
  const file = join(dataDir, 'config.json')
  t.match(await serve(dataDir), { code: 1, err: /config\.json does not exist[\s\S]*marshlight init/ }, 'none')
  await initController({ dataDir, config: {}, now: Date.now() })
  const wrong: [string, RegExp][] = [
    ['{"mqtt":', /config\.json: the file is not JSON: /],
    ['[]', /the file is \[\]: .*expected object/i],
    ['{"mqtt":{"port":70000}}', /config\.json: mqtt\.port is 70000: .*65535/],
    ['{"mqtt":{"prot":8883}}', /mqtt is \{"prot":8883\}: .*prot/],
    ['{"publicHost":""}', /publicHost is "": \S/],
    ['{"neverBlock":["10.0.0.0/8","300.1.1.1"]}', /neverBlock\.1 is "300\.1\.1\.1": \S/],
    ['{"decoys":{"ranges":["198.18.0.0/33"]}}', /decoys\.ranges\.0 is "198\.18\.0\.0\/33": \S/],
    ['{"scan":{"quickEverySeconds":604801}}', /scan\.quickEverySeconds is 604801: .*604800/],
    ['{"risk":{"thresholds":{"block":"high"}}}', /risk\.thresholds\.block is "high": .*number/],
    [
      '{"alerts":{"webhooks":[{"name":"x","url":"no url","secretFile":"s"}]}}',
      /alerts\.webhooks\.0\.url is "no url": \S/,
    ],
  ]
  for (const [text, expected] of wrong) {
    writeFileSync(file, text)
    const { code, err } = await serve(dataDir)
    t.equal(code, 1)
    t.match(err, expected)
    t.match(err, /\n {2}\S/, 'and a next step')
  }
})

t.test('a damaged key or certificate, or a port in use, is named', async (t) => {
  const world = await controllerWorld(t)
  const taken = await dataFolder(t)
  const { mqtt } = world.ports
  await initController({ dataDir: taken, config: { mqtt: { port: mqtt }, enrol: { port: mqtt } }, now: Date.now() })
  t.match(await serve(taken), { code: 1, err: new RegExp(`${mqtt}[\\s\\S]*\\n {2}\\S`) }, 'the port')
  for (const name of ['ca.pem', 'ca-key.pem', 'server.pem', 'server-key.pem', 'signing-key.pem']) {
    const dataDir = await dataFolder(t)
    await initController({ dataDir, config: {}, now: Date.now() })
    const path = join(dataDir, 'ca', name)
    writeFileSync(path, 'garbage')
    const { code, err } = await serve(dataDir)
    t.equal(code, 1)
    t.ok(err.includes(path), `${name}: ${err}`)
    t.equal(readFileSync(path, 'utf8'), 'garbage', 'left as it is')
  }
})

t.test('a damaged database is refused, and left as it is', async (t) => {
  const world = await controllerWorld(t)
  const agent = await world.newAgent('a')
  for (const first of [0, 1000, 2000]) agent.send('events', events(first, 1000))
  await agent.committed('events', 3000)
  await world.victim.end()
  const whole = readFileSync(world.database)
  const garbage = Buffer.alloc(3000, 'garbage')
  for (const at of [0, 20, Math.floor(whole.length / 2), whole.length - 4096]) {
    const damaged = Buffer.from(whole)
    garbage.copy(damaged, at)
    writeFileSync(world.database, damaged)
    const before = digest(world.database)
    const { code, err } = await command('marshlight', '--json', '--data', world.dataDir, 'serve', '--log', 'silent')
    t.equal(code, 1, `bytes from ${at} on`)
    t.match(JSON.parse(err), { error: { code: 'DATABASE_CORRUPT', message: /marshlight\.db/, next: /backup/ } })
    t.equal(digest(world.database), before, 'untouched')
  }
  writeFileSync(world.database, whole)
  await world.started()
  await agent.client.endAsync(true)
})

t.test(
  'a full disk stops the acknowledgements and nothing else; all is committed when there is room again',
  async (t) => {
    const folder = await dataFolder(t, 2048)
    const world = await controllerWorld(t, join(folder, 'data'))
    const [agent, other] = [await world.newAgent('a'), await world.newAgent('b')]
    let next = 0
    const full = world.logged('nothing can be committed')
    const isFull = full.then(() => true)
    // Up to what the controller holds in memory of one agent: what it took, it keeps.
    for (let n = 0; n < 60 && !(await Promise.race([isFull, agent.committed('events', next).then(() => false)])); n++)
      next = agent.send('events', events(next, 200))
    await full
    const stood = agent.acknowledged('events')
    t.ok(stood < next, `${stood} of ${next} acknowledged`)
    const others = other.send('events', events(0, 10))
    t.match(
      await world.api.get('/v1/agents'),
      { items: [{ presence: 'online' }, { presence: 'online' }] },
      'it answers',
    )
    t.equal(agent.acknowledged('events'), stood, 'nothing is acknowledged that is not committed')
    t.ok(agent.client.connected && other.client.connected, 'nobody is thrown out')

    execFileSync('mount', ['-o', 'remount,size=16m', folder])
    await agent.committed('events', next)
    await other.committed('events', others)
    t.ok(agent.client.connected && other.client.connected, 'on the same connections')
    t.strictSame(world.ended, [], 'in the same process')

    // Full again, and killed: it says why it does not start, and starts with all that it acknowledged.
    const { bavail, bsize } = statfsSync(folder)
    writeFileSync(join(folder, 'filler'), Buffer.alloc(bavail * bsize))
    await world.victim.kill()
    const { code, err } = await serve(world.dataDir)
    t.equal(code, 1)
    t.match(err, /no space left at .*\n {2}\S/)
    rmSync(join(folder, 'filler'))
    await world.started()
    const db = new DatabaseSync(world.database, { readOnly: true })
    const kept = db
      .prepare(`SELECT s.agent, s.next, count(*) AS n, count(DISTINCT r.body) AS bodies FROM records r
      JOIN streams s ON s.id = r.stream_id WHERE s.stream = 'events' GROUP BY s.id`)
      .all()
    db.close()
    t.match(
      kept.find((row) => row.agent === agent.agent),
      { next, n: next, bodies: next },
      'each once',
    )
    t.match(
      kept.find((row) => row.agent === other.agent),
      { next: others, n: others, bodies: others },
      'each once',
    )
  },
)

t.test('a data folder that is read-only is named', async (t) => {
  const folder = await dataFolder(t, 4096)
  const dataDir = join(folder, 'data')
  await initController({ dataDir, config: {}, now: Date.now() })
  execFileSync('mount', ['-o', 'remount,ro', folder])
  t.match(
    await serve(dataDir),
    { code: 1, err: /cannot be written[\s\S]*that can be written/ },
    'before its first start',
  )
})

t.test('a certificate with an agent’s name that our authority did not sign opens nothing', async (t) => {
  const world = await controllerWorld(t)
  const agent = await world.newAgent('a')
  const stranger = await makeTestPki()
  const pair = await stranger.agentPair(agent.agent)
  const forged = { ...agent.identity, key: pair.key, certificate: pair.certificate }
  for (const certificate of [
    pair.certificate,
    `${pair.certificate}${stranger.ca}`,
    `${pair.certificate}${agent.identity.ca}`,
  ])
    await t.rejects(connected(clientOptions({ ...forged, certificate }, world.ports.mqtt)))
  await agent.committed('events', agent.send('events', events(0, 10)))
  t.ok(agent.client.connected, 'the agent itself is not disturbed')
  t.strictSame(world.ended, [])
})

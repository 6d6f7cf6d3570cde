import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import type { Explained } from '../../controller/adaptation/index.ts'
import { makeClient } from '../../controller/cli/client.ts'
import { driftOf } from '../../controller/drift/index.ts'
import { initController } from '../../controller/fleet/index.ts'
import { type Serving, serve, socketIn } from '../../controller/serve/index.ts'
import { newId } from '../../shared/ids.ts'
import { silentLog } from '../../shared/log.ts'
import { pickWeighted, seededRandom } from '../../shared/random.ts'
import type { DecoyEvent } from '../../shared/schemas/event.ts'
import { linesOf, sessionOf, type Taste, tastes } from '../drift/simulated-attackers.ts'
import { freePort } from '../faults/controller.ts'
import { makeHandClock, startMs } from '../unit/sessions/hand-clock.ts'

const minute = 60_000
const [agent, decoy] = [newId(startMs), newId(startMs + 1)]
const program = join(import.meta.dirname, '../../controller/cli.ts')
const random = seededRandom('simulated')

t.setTimeout(120_000)

t.test('a whole controller learns from simulated attackers, across a restart, and reports it', async (t) => {
  // A socket's name has at most 107 letters: no folder of the test itself.
  const dataDir = await mkdtemp(join(tmpdir(), 'adaptation-'))
  const clock = makeHandClock()
  const [mqtt, enrolment] = [await freePort(), await freePort()]
  const listen = (port: number) => ({ host: '127.0.0.1', port })
  await initController({
    dataDir,
    now: startMs,
    config: {
      mqtt: listen(mqtt),
      enrol: listen(enrolment),
      risk: { thresholds: { alert: 100, deploy: 100, reconfigure: 100, block: 100 }, autoBlock: false },
      adaptation: { changesPerHour: 10_000, viewsPerDecoy: 200, keepHours: 2 },
    },
  })
  const begin = () => serve({ dataDir, clock, random: seededRandom('controller'), log: silentLog })
  let serving = await begin()
  t.teardown(async () => {
    await serving.stop()
    await rm(dataDir, { recursive: true, force: true })
  })
  await prepare(serving)

  const sources = Array.from({ length: 160 }, (_, i) => ({
    ip: `203.0.113.${i + 1}`,
    taste: pickWeighted(
      random,
      tastes.map((one) => [one, one.weight] as const),
    ),
  }))
  const api = makeClient(() => ({ socket: socketIn(dataDir) }))
  let viewed = 0
  for (const round of [0, 1, 2]) {
    for (let from = 0; from < sources.length; from += 40) {
      const some = sources.slice(from, from + 40)
      await feed(
        serving,
        some.map(({ ip }) => event(clock.now(), ip, round, 'session.open')),
      )
      const { views } = await driftOf(serving.deps.store, decoy)
      const lines: DecoyEvent[] = []
      for (const { ip, taste } of some) {
        const { assignments } = await api.get<Explained>(`/v1/drift-report/${ip}`)
        const arm = assignments[0]?.inForce ? assignments[0].arm : 'none'
        const view = views.find(({ source }) => source === ip)
        if (arm !== 'none') viewed++
        if ((view?.drift?.effects[0]?.type ?? 'none') !== arm.split('.')[0])
          t.fail(`${ip} was given ${arm}, its view is ${JSON.stringify(view)}`)
        lines.push(...visitOf(clock.now(), ip, round, taste, sessionOf(taste, arm, random)))
      }
      // Before anybody counts as gone.
      clock.advance(4 * minute)
      await feed(serving, lines)
      clock.advance(6 * minute)
      await until('visits to end', async () => (await count(serving, 'ended_at IS NULL')) === 0)
    }
    await serving.stop()
    serving = await begin()
    clock.advance(90 * minute)
  }
  t.ok(viewed > 120, `${viewed} views were in the plan`)
  const believed = await serving.deps.store.get<{ n: number }>('SELECT SUM(n) AS n FROM adaptation_beliefs')
  const voices = await serving.deps.store.get<{ n: number }>(
    `SELECT COUNT(*) AS n FROM (SELECT DISTINCT a.source, a.class, a.arm FROM adaptation_assignments a
     WHERE EXISTS (SELECT 1 FROM adaptation_visits v WHERE v.assignment = a.id))`,
  )
  t.equal(believed?.n, voices?.n, 'each source was learned from once for each class and arm, across three restarts')

  const { stdout: text } = await cli(dataDir, 'drift', 'report')
  t.ok(text.split('\n').every((line) => line.length <= 80))
  const { stdout } = await cli(dataDir, '--json', 'drift', 'report')
  const { all, classes } = JSON.parse(stdout) as {
    all: Report
    classes: (Report & { class: string })[]
  }
  const part = all.control.chosen / (all.control.chosen + all.adaptive.chosen)
  t.ok(part > 0.06 && part < 0.15, `the control group is ${(100 * part).toFixed(1)} %`)
  t.equal(all.control.visits + all.adaptive.visits, 480)
  t.match(
    classes.map((one) => one.class),
    ['newcomer', 'bot', 'hands-on', 'prober'],
  )
  t.ok(all.adaptive.effect && all.adaptive.effect.low < all.adaptive.effect.ratio)
  const arms = classes.flatMap((one) => one.arms).filter(({ effect }) => effect && effect.high > effect.low)
  t.ok(arms.length >= 4, 'arms with their intervals')
  t.match((await cli(dataDir, 'drift', 'report', '--explain', sources[0]?.ip ?? '')).stdout, /given .* as newcomer/s)
})

type Report = { control: Group; adaptive: Group; arms: { arm: string; effect?: { low: number; high: number } }[] }
type Group = { chosen: number; visits: number; effect?: { ratio: number; low: number } }

const cli = (dataDir: string, ...args: string[]) =>
  promisify(execFile)(process.execPath, [program, '--data', dataDir, ...args], {
    env: { ...process.env, COLUMNS: '80' },
  })

async function prepare({ deps: { store } }: Serving): Promise<void> {
  const [site, segment, at] = [newId(), newId(), new Date(startMs).toISOString()]
  await store.tx(async (sql) => {
    await sql.run("INSERT INTO sites VALUES (?, 'hq')", site)
    await sql.run("INSERT INTO segments (id, site, name) VALUES (?, ?, 'lan')", segment, site)
    await sql.run(
      `INSERT INTO agents (id, name, roles, status, enrolled_at) VALUES (?, 'box', '["decoys"]', 'enrolled', ?)`,
      agent,
      at,
    )
    await sql.run(`INSERT INTO streams (id, agent, stream, epoch, next) VALUES (1, ?, 'events', 'one', 0)`, agent)
    await sql.run(
      `INSERT INTO decoys (id, segment, agent, cidr, ip, mac, hostname, persona, persona_version, status, origin, created_at, changed_at, reason)
       VALUES (?, ?, ?, '198.18.1.0/24', '198.18.1.50', '02:00:00:00:00:01', 'web-07', 'p', 1, 'wanted', 'placement', ?, ?, '')`,
      ...[decoy, segment, agent, at, at],
    )
  })
}

let number = 0
/** Commits records as ingest does, and waits until the loop has read them. */
async function feed({ deps: { store, bus, clock } }: Serving, events: readonly DecoyEvent[]): Promise<void> {
  await store.tx(async (sql) => {
    for (const record of events)
      await sql.run(
        'INSERT INTO records (stream_id, number, received_at, body) VALUES (1, ?, ?, ?)',
        ...[number++, new Date(clock.now()).toISOString(), JSON.stringify(record)],
      )
  })
  bus.emit({ name: 'committed' })
  await until('the records to be read', async () => {
    const row = await store.get<{ n: number }>(
      "SELECT (SELECT MAX(pos) FROM records) - (SELECT pos FROM cursors WHERE worker = 'adaptation') AS n",
    )
    return row?.n === 0
  })
}

const count = async ({ deps: { store } }: Serving, where: string): Promise<number> =>
  (await store.get<{ n: number }>(`SELECT COUNT(*) AS n FROM adaptation_visits WHERE ${where}`))?.n ?? 0

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const late = Date.now() + 30_000
  while (!(await holds())) {
    if (Date.now() > late) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const event = (atMs: number, ip: string, round: number, kind: DecoyEvent['kind'], command?: string): DecoyEvent => ({
  ...{ type: 'event', at: new Date(atMs).toISOString(), decoy, persona: decoy, personaVersion: 1, revision: 1 },
  ...{ service: 'ssh', kind, session: `${round}-${ip}`, src: { ip, port: 40000 }, source: `cowrie.${kind}` },
  ...(command !== undefined && { command }),
})

/** A session of such engagement: in, that many lines in that kind's own time, out. */
function visitOf(from: number, ip: string, round: number, taste: Taste, engagement: number): DecoyEvent[] {
  const typed = linesOf(taste, engagement, random).map(({ atMs, line }) =>
    event(from + atMs, ip, round, 'command', line),
  )
  const last = Date.parse(typed.at(-1)?.at ?? '')
  return [event(from + 900, ip, round, 'login.success'), ...typed, event(last + 100, ip, round, 'session.close')]
}

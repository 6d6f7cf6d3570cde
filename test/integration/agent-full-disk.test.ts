import { execFileSync, spawn } from 'node:child_process'
import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { makeSessions } from '../../agent/sessions/index.ts'
import { listAlerts, makeWatch } from '../../controller/alerts/index.ts'
import { commitBatches } from '../../controller/ingest/commit.ts'
import { ingestTables } from '../../controller/ingest/tables.ts'
import { encodeBatch } from '../../shared/batch.ts'
import { systemClock } from '../../shared/clock.ts'
import { newId } from '../../shared/ids.ts'
import { silentLog } from '../../shared/log.ts'
import type { DecoyEvent } from '../../shared/schemas/event.ts'
import { agentA, enrol, makeChain } from '../unit/sessions/chain.ts'
import { until } from '../unit/sessions/places.ts'
import { notices, numberOf, openSpool, readAll, tempFolder } from '../unit/spool/records.ts'

async function tinyDisk(t: Parameters<typeof tempFolder>[0], kilobytes: number): Promise<string> {
  const folder = await tempFolder(t)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder])
  // Registered after the folder's own removal, so it runs first.
  t.teardown(async () => {
    execFileSync('umount', ['-l', folder])
  })
  return folder
}

t.test('a full disk drops the least valuable first, counts what went, and takes records again', async (t) => {
  const folder = await tinyDisk(t, 1024)
  const options = { segmentBytes: 65_536 }
  const spool = await openSpool(folder, options)
  for (let i = 0; i < 10; i++) await spool.append('health', notices(50, i * 50, 300) as never)
  for (let i = 0; i < 80; i++)
    await spool.append('events', notices(50, i * 50, 300) as never, { d: { file: 'f', offset: i } })
  await spool.append('state', notices(10, 0, 300))

  const [health, events, state] = [
    await readAll(spool, 'health'),
    await readAll(spool, 'events'),
    await readAll(spool, 'state'),
  ]
  const lost = (all: typeof health) => all.lost.reduce((sum, loss) => sum + loss.to - loss.from + 1, 0)
  t.equal(lost(health), 500, 'health went first, all of it')
  t.equal(events.lines.size + lost(events), 4000, 'every event is there or named as lost')
  t.ok(events.lines.size > 1000 && lost(events) > 1000)
  t.ok([...events.lines].every(([number, line]) => number === numberOf(line)))
  t.ok(events.lines.has(3999), 'the newest stayed')
  t.equal(state.lines.size, 10)
  t.ok(events.lost.every((loss) => loss.reason === 'disk-full'))
  await spool.stop()

  const again = await openSpool(folder, options)
  t.strictSame(await readAll(again, 'events'), events, 'losses are durable')
  t.strictSame(await readAll(again, 'health'), health)
  t.strictSame(again.positionOf('d'), { file: 'f', offset: 79 })
  const { epoch, next } = again.standing('events')
  await again.acknowledge('events', epoch, next)
  await again.append('health', notices(5, 500) as never)
  t.equal((await readAll(again, 'health')).lines.size, 5)
  await again.stop()
})

t.test('a disk that others filled to the last byte: records are counted as lost, nothing crashes', async (t) => {
  const folder = await tinyDisk(t, 512)
  const spool = await openSpool(join(folder, 'spool'))
  await spool.append('events', notices(20, 0, 100) as never)
  const filler = join(folder, 'filler')
  const { bavail, bsize } = await statfs(folder)
  await writeFile(filler, Buffer.alloc(bavail * bsize, 1))
  for (let i = 0; i < 40; i++) {
    await spool.append('events', notices(200, 20 + i * 200, 100) as never)
    // Whatever the spool gave back is taken by the other at once.
    const left = await statfs(folder)
    if (left.bavail > 0) await writeFile(`${filler}${i}`, Buffer.alloc(left.bavail * left.bsize, 1)).catch(() => {})
  }
  const during = await readAll(spool, 'events')
  t.ok(during.next < 8020, 'what no disk knows of is not told yet')
  for (const name of await readdir(folder)) if (name.startsWith('filler')) await rm(join(folder, name))
  await spool.append('events', notices(3, 8020) as never)
  const after = await readAll(spool, 'events')
  const lost = after.lost.reduce((sum, loss) => sum + loss.to - loss.from + 1, 0)
  t.equal(after.next, 8023)
  t.equal(after.lines.size + lost, 8023)
  t.ok(lost > 1000)
  await spool.stop()
  const again = await openSpool(join(folder, 'spool'))
  t.strictSame(await readAll(again, 'events'), after)
  await again.stop()
})

t.test(
  'a disk gone read-only: what is there is read, what comes is counted as lost until it can be written',
  async (t) => {
    const folder = await tinyDisk(t, 1024)
    const spool = await openSpool(folder)
    await spool.append('state', notices(10))
    await spool.stop()
    execFileSync('mount', ['-o', 'remount,ro', folder])
    const again = await openSpool(folder)
    await again.append('state', notices(5, 10))
    const during = await readAll(again, 'state')
    t.equal(during.lines.size, 10)
    t.equal(during.next, 10, 'a number that a restart would give again is not shown')
    const { epoch } = again.standing('state')
    await again.acknowledge('state', epoch, 4)
    execFileSync('mount', ['-o', 'remount,rw', folder])
    await again.append('state', notices(1, 15))
    await again.stop()
    const third = await openSpool(folder)
    const after = await readAll(third, 'state')
    t.strictSame([...after.lines.values()].map(numberOf).slice(-1), [15])
    t.strictSame(after.lost, [{ from: 10, to: 14, reason: 'disk-full' }])
    await third.stop()
  },
)

t.test('a state folder that cannot be made says why', async (t) => {
  const folder = await tinyDisk(t, 64)
  execFileSync('mount', ['-o', 'remount,ro', folder])
  await t.rejects(openSpool(join(folder, 'spool')), { code: 'DISK_READ_ONLY' })
})

/** The sink of a decoy as it stands in the images: each line on standard input is an event so many times. */
const sink = `
import sys
from pathlib import Path
from marshlight_common.event_files import EventFiles, utc
folder, most = Path(sys.argv[1]), int(sys.argv[2])
files = EventFiles(folder / "events", folder / "events.next", most, "services.lost")
whose = {"persona": sys.argv[3], "personaVersion": 1}
number = 0
for line in sys.stdin:
    name, times = line.split()
    for _ in range(int(times)):
        files.append({"eventid": name, "timestamp": utc(0), "session": "s", "marshlight": whose, "input": f"{number} {'x' * 200}"})
        number += 1
    files.tell()
    print(files.lost, flush=True)
`

async function startSink(t: Parameters<typeof tempFolder>[0], folder: string, mostBytes: number) {
  await mkdir(join(folder, 'events'), { recursive: true })
  const child = spawn('python3', ['-B', '-c', sink, folder, String(mostBytes), newId()], {
    env: { ...process.env, PYTHONPATH: join(import.meta.dirname, '../../images/common') },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(async () => void child.kill('SIGKILL'))
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  /** Returns how many are dropped and not told yet. */
  return async (name: string, times: number): Promise<number> => {
    child.stdin.write(`${name} ${times}\n`)
    return Number((await answers.next()).value)
  }
}

/** Everything in a decoy's event files, as the agent sends it. */
async function readSink(t: Parameters<typeof tempFolder>[0], outDir: string, decoy: string, last: number) {
  const spool = await openSpool(join(await tempFolder(t), 'spool'))
  const source = { id: decoy, service: 'services' as const, outDir, persona: newId(), personaVersion: 1, revision: 1 }
  const sessions = makeSessions({
    ...{ spool, log: silentLog, clock: systemClock, stateDir: await tempFolder(t), decoys: () => [source] },
  })
  await sessions.start(new AbortController().signal)
  const events = await until(spool, 'events', (some) => some.some(({ command }) => command?.startsWith(`${last} `)))
  await sessions.stop()
  await spool.stop()
  return events
}

t.test('events that a decoy cannot write: the common go first, and what went is a loss that alerts', async (t) => {
  const folder = await tinyDisk(t, 2048)
  const decoy = newId()
  const write = await startSink(t, folder, 128 * 1_048_576)
  t.equal(await write('ftp.login.failed', 100), 0)
  const { bavail, bsize } = await statfs(folder)
  await writeFile(join(folder, 'filler'), Buffer.alloc(bavail * bsize, 1)).catch(() => {})
  t.equal((await statfs(folder)).bavail, 0)
  const commonLost = await write('ftp.login.failed', 100)
  t.ok(commonLost > 80, `${commonLost} of 100 log-ins did not fit into what was left of a page`)
  t.equal(await write('ftp.command', 200), commonLost, 'not one command is lost')
  t.equal(await write('ftp.login.failed', 50), commonLost + 50, 'nor has a log-in what was held back for them')
  const lost = await write('ftp.command', 2000)
  t.ok(lost > commonLost + 1000, 'until that is full as well')
  await rm(join(folder, 'filler'))
  t.equal(await write('ftp.command', 1), 0, 'all of it is told')

  const events = await readSink(t, folder, decoy, 2450)
  const whole = events.filter(({ kind }) => kind !== 'events.lost')
  const notes = events.filter(({ kind }) => kind === 'events.lost')
  const told = notes.reduce((sum, { data }) => sum + Number(data?.lost), 0)
  t.ok(told >= lost)
  t.equal(whole.length + told, 2451, 'to the last one')

  const chain = makeChain(t)
  await enrol(chain)
  for (const statement of ingestTables.statements.slice(-2)) await chain.store.run(statement)
  const commit = (batch: readonly DecoyEvent[], first: number) =>
    chain.store.tx((sql) => {
      const head = { v: 1 as const, epoch: decoy, first, count: batch.length, losses: [] }
      const payload = encodeBatch(
        head,
        batch.map((one) => JSON.stringify(one)),
      )
      return commitBatches(sql, [{ agent: agentA, stream: 'events', payload }], new Date().toISOString())
    })
  await commit(notes, 0)
  await commit(notes, 0)
  t.match(await chain.store.all('SELECT DISTINCT stream, reason FROM losses'), [
    { stream: 'events', reason: 'disk-full' },
  ])
  t.match(await chain.store.get('SELECT sum(last - first + 1) AS n FROM losses'), { n: told })
  t.match(await chain.store.get('SELECT lost FROM ingest_totals'), { lost: told })
  await makeWatch(chain.deps).look()
  const alerts = await listAlerts(chain.store, { limit: 100 })
  t.match(alerts, [{ kind: 'records-lost', title: `${told} records of box-a were lost` }])
})

t.test('an agent that is away: the last quarter of what may wait is for what is worth more', async (t) => {
  const folder = await tempFolder(t)
  const write = await startSink(t, folder, 400_000)
  const common = await write('ftp.login.failed', 2000)
  t.ok(common > 500, `${common} log-ins were too many`)
  t.equal(await write('ftp.command', 200), common, 'commands still are not')
})

import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makePresence } from '../../../controller/fleet/index.ts'
import { coreTables } from '../../../controller/store/core-tables.ts'
import { openSqlite } from '../../../controller/store/sqlite.ts'
import { makeBus } from '../../../controller/work/bus.ts'
import { silentLog } from '../../../shared/log.ts'
import { makeHandClock } from '../sessions/hand-clock.ts'
import { tempFolder } from '../spool/records.ts'

type Door = { waiting: number; turnedAway: number }
const tickSeconds = 3

/** A controller that was started a moment ago, and agents that were online before. */
async function started(t: Test, agents: readonly string[], door: () => Door) {
  const store = openSqlite(join(await tempFolder(t), 'test.db'), [coreTables])
  const clock = makeHandClock()
  for (const id of agents)
    await store.run(
      `INSERT INTO agents (id, name, roles, status, presence, enrolled_at) VALUES (?, ?, '[]', 'enrolled', 'online', ?)`,
      ...[id, id, new Date(clock.now()).toISOString()],
    )
  const inside = new Set<string>()
  const here = (id: string) => inside.has(id)
  const of = { store, clock, bus: makeBus(), log: silentLog, silentSeconds: 10 }
  const presence = makePresence({ ...of, connected: here, listens: here, door })
  await presence.start(new AbortController().signal)
  t.teardown(async () => {
    await presence.stop()
    await store.close()
  })
  return {
    inside,
    async stands() {
      const rows = await store.all<{ id: string; presence: string }>('SELECT id, presence FROM agents')
      return Object.fromEntries(rows.map((one) => [one.id, one.presence]))
    },
    /** So many seconds, tick by tick, each to its end. */
    async pass(seconds: number) {
      for (let passed = 0; passed < seconds; passed += tickSeconds) {
        await clock.asleep()
        clock.advance(tickSeconds * 1000)
      }
      await clock.asleep()
    },
  }
}

t.test('who is not in yet is late while a crowd waits at the door, and silent after', async (t) => {
  let door: Door = { waiting: 40, turnedAway: 0 }
  const { inside, stands, pass } = await started(t, ['early', 'late'], () => door)
  inside.add('early')
  await pass(15)
  t.same(await stands(), { early: 'online', late: 'unknown' }, 'it may be one of those who wait')
  door = { waiting: 0, turnedAway: 3 }
  await pass(24)
  t.same(await stands(), { early: 'online', late: 'unknown' }, 'it may have been told to come later')
  inside.delete('early')
  await pass(3)
  t.same(await stands(), { early: 'offline', late: 'unknown' }, 'who was seen and is gone is gone')
  await pass(12)
  t.same(await stands(), { early: 'offline', late: 'offline' }, 'nobody comes any more')
})

t.test('a flood at the door hides no silence for ever', async (t) => {
  let turnedAway = 0
  const { stands, pass } = await started(t, ['gone'], () => ({ waiting: 4096, turnedAway: ++turnedAway }))
  await pass(150)
  t.same(await stands(), { gone: 'unknown' })
  await pass(33)
  t.same(await stands(), { gone: 'offline' })
})

t.test('without a crowd a silent agent is told by the time for silence', async (t) => {
  const { stands, pass } = await started(t, ['gone'], () => ({ waiting: 0, turnedAway: 0 }))
  await pass(12)
  t.same(await stands(), { gone: 'offline' })
})

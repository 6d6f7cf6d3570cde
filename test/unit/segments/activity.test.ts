import t from 'tap'
import { observed, slotOf } from '../../../controller/segments/activity.ts'
import { noteActivity, weekOf } from '../../../controller/segments/index.ts'
import { card, scan, startedAt, testFleet } from './fleet.ts'

const day = 86_400_000

t.test('an hour of the week is its own, and the same a week later', async (t) => {
  t.equal(slotOf(Date.parse('2026-11-16T00:59:59Z')), 0, 'Monday')
  t.equal(slotOf(Date.parse('2026-11-22T23:00:00Z')), 167, 'Sunday')
  t.equal(slotOf(startedAt), slotOf(startedAt + 7 * day))
})

t.test('what was observed four weeks ago counts half, in whatever order it comes', async (t) => {
  const [old, young] = [startedAt - 28 * day, startedAt]
  const inOrder = observed(observed(undefined, old, 10), young, 40)
  t.match(inOrder, { weight: 1.5, amount: 45, at: young })
  t.same(observed(observed(undefined, young, 40), old, 10), inOrder)
})

t.test('a quick pass that ended well is an observation, not one from the future; flows say more', async (t) => {
  const { see, store, ids } = await testFleet(t)
  const failed = { ...scan('quick', 7200), outcome: 'failed' } as const
  const ahead = { ...scan('quick', 0), finishedAt: new Date(startedAt + 90 * day).toISOString() } as const
  await see(card(), scan('quick', 5), scan('detail', 3600), failed, ahead)
  const rows = await store.all<{ slot: number; weight: number; at: number }>('SELECT * FROM segment_activity')
  t.match(rows, [{ slot: slotOf(startedAt), at: startedAt + 5000 }])
  t.equal(Math.round(rows[0]?.weight ?? 0), 2)
  t.equal((await weekOf(store, ids.segment))?.[slotOf(startedAt)], 6)
  await store.tx((sql) => noteActivity(sql, ids.segment, 'flows', { at: startedAt, amount: 1200 }))
  t.equal((await weekOf(store, ids.segment))?.[slotOf(startedAt)], 1200)
  t.equal(await weekOf(store, 'another'), undefined)
})

import t from 'tap'
import { waitForRuns } from '../../../controller/cli/wait-for-runs.ts'
import type { Clock } from '../../../shared/clock.ts'

/** A clock whose sleeps are over at once, and runs that take so many seconds each, one after the other. */
function world(count: number, secondsEach: number) {
  let now = 0
  const clock: Clock = {
    now: () => now,
    async sleep(ms) {
      now += ms
    },
  }
  const ids = Array.from({ length: count }, (_, at) => `run-${at}`)
  const read = async () => {
    const at = Math.floor(now / 1000 / secondsEach)
    return ids.map((id, n) => ({ id, status: n < at ? 'done' : n === at ? 'running' : 'queued' }))
  }
  return { clock, read, pausing: (_runs: unknown, pause: Promise<void>) => pause }
}

t.test('a fleet of runs is waited for while any of them moves, however long all take', async (t) => {
  const fleet = world(30, 400)
  const ended = await waitForRuns(await fleet.read(), fleet)
  t.ok(ended.every(({ status }) => status === 'done'))
  t.ok(fleet.clock.now() >= 30 * 400_000)
})

t.test('without a change of any for ten minutes it is given up', async (t) => {
  const stuck = world(3, 1e9)
  await t.rejects(waitForRuns(await stuck.read(), stuck), { code: 'TIMEOUT', message: /600/ })
  t.equal(stuck.clock.now(), 600_000)
})

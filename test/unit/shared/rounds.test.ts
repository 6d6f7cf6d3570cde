import { EventEmitter, once } from 'node:events'
import t from 'tap'
import type { Clock } from '../../../shared/clock.ts'
import { silentLog } from '../../../shared/log.ts'
import { makeRounds } from '../../../shared/rounds.ts'

/** A clock whose sleeps end when the test says so. */
function handClock() {
  const told = new EventEmitter()
  const sleeping: { ms: number; end: () => void }[] = []
  const clock: Clock = {
    now: () => 0,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        sleeping.push({ ms, end: resolve })
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
        if (signal?.aborted) reject(signal.reason)
        told.emit('sleeps')
      }),
  }
  return { clock, sleeping, asleep: () => once(told, 'sleeps') }
}

const options = { name: 'x', log: silentLog, failure: 'it failed', afterFailureMs: 7 }

t.test('a round, a wait as long as it said, and the next; a failed one is followed by another', async (t) => {
  const { clock, sleeping, asleep } = handClock()
  let count = 0
  const round = async () => {
    if (++count === 2) throw new Error('no')
    return 100 * count
  }
  const rounds = makeRounds({ ...options, clock, round })
  t.teardown(() => rounds.stop())
  for (const ms of [100, 7, 300]) {
    const waits = asleep()
    if (count === 0) await rounds.start(new AbortController().signal)
    else sleeping.at(-1)?.end()
    await waits
    t.equal(sleeping.at(-1)?.ms, ms)
  }
})

t.test('woken during a round, it makes one more; woken while it waits, at once', async (t) => {
  const { clock, asleep } = handClock()
  let wakeIt = () => {}
  let deaf = false
  let count = 0
  const rounds = makeRounds({
    ...options,
    clock,
    listen: (wake) => {
      wakeIt = wake
      return () => {
        deaf = true
      }
    },
    async round() {
      if (++count === 1) for (let i = 0; i < 3; i++) wakeIt()
      return 1000
    },
  })
  const first = asleep()
  await rounds.start(new AbortController().signal)
  await first
  t.equal(count, 2, 'three calls during the first round lead to one more')
  const second = asleep()
  rounds.wake()
  await second
  t.equal(count, 3)
  await rounds.stop()
  t.equal(deaf, true)
  rounds.wake()
  t.equal(count, 3, 'a stopped part makes no more')
})

t.test('stop waits for the round that runs, and tells it', async (t) => {
  const { clock } = handClock()
  const over: string[] = []
  const rounds = makeRounds({
    ...options,
    clock,
    round: (signal) =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => {
          over.push('round')
          resolve(1)
        }),
      ),
  })
  await rounds.start(new AbortController().signal)
  await rounds.stop()
  t.same(over, ['round'])
})

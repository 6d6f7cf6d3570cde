import t from 'tap'
import { mendClockInTime } from '../../../agent/first-boot/index.ts'
import { silentLog } from '../../../shared/log.ts'

t.test('who gives up says why, in words that also fit a controller that was not believed', async (t) => {
  const warned: unknown[][] = []
  const log = { ...silentLog, warn: (...words: unknown[]) => void warned.push(words) } as typeof silentLog
  let slept = 0
  const clock = { now: () => Date.parse('2026-06-01'), sleep: async () => void slept++ }
  const { signal } = new AbortController()
  const time = { isSynchronized: async () => false, setClock: async () => undefined }
  const deps = { clock, log, signal, random: Math.random, built: 0, floor: 0, ...time }
  t.equal(await mendClockInTime(deps, { host: '127.0.0.1', port: 1, proxy: undefined, pin: 'ab' }), false)
  t.match(warned, [[{ why: /127\.0\.0\.1:1/ }, /^nobody told a time that this clock could be set to/]])
  t.equal(slept, 64)
})

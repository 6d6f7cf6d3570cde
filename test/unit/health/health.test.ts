import { join } from 'node:path'
import t from 'tap'
import {
  makeCpuProbe,
  makeDiskProbe,
  makeDockerProbe,
  makeHealth,
  makePackagesProbe,
  memoryProbe,
  type Probe,
  temperatureProbe,
} from '../../../agent/health/index.ts'
import type { Report } from '../../../agent/spool/index.ts'
import type { Clock } from '../../../shared/clock.ts'
import { silentLog } from '../../../shared/log.ts'
import { type Health, health, type Notice } from '../../../shared/schemas/state.ts'

/** A clock that stands until the test lets the next look happen. */
function steppedClock() {
  const sleepers: (() => void)[] = []
  const clock: Clock = {
    now: () => Date.parse('2026-01-01T00:00:00Z'),
    sleep: (_ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        sleepers.push(resolve)
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      }),
  }
  return { clock, step: () => sleepers.shift()?.() }
}

async function watched(probe: Probe, looks: number) {
  const { clock, step } = steppedClock()
  const healths: Health[] = []
  const notices: Notice[] = []
  const done = Promise.withResolvers<void>()
  const report: Report = async (stream, records) => {
    for (const record of records) {
      if (record.type === 'notice') notices.push(record)
      if (record.type === 'health') healths.push(record)
    }
    if (stream !== 'health') return
    if (healths.length === looks + 1) done.resolve()
    else setImmediate(step)
  }
  const part = makeHealth({ report, clock, log: silentLog, probes: [probe], everySeconds: 1 })
  await part.start(new AbortController().signal)
  await done.promise
  await part.stop()
  return { healths, notices }
}

const wavering = (answers: readonly boolean[]): Probe => {
  const left = [...answers]
  return {
    name: 'disk',
    async measure() {
      const ok = left.shift()
      if (ok === undefined) throw new Error('the probe is worn out')
      return { ok, detail: ok ? 'fine' : 'full' }
    },
  }
}

t.test('what turns bad is told once, and once more when it is well again; a single bad look is not', async (t) => {
  const { notices } = await watched(wavering([true, false, true, false, false, false, true, true, true]), 8)
  t.same(
    notices.map(({ code, message }) => [code, message]),
    [
      ['HEALTH_BAD', 'disk: full'],
      ['HEALTH_GOOD', 'disk: fine'],
    ],
  )
})

t.test('a probe that fails says so and the record is sent all the same', async (t) => {
  const { healths } = await watched(wavering([true]), 1)
  t.same(healths[1]?.probes.disk, { ok: false, detail: 'the probe is worn out' })
})

t.test('a probe that hangs is told as such and holds up neither the record nor the others', async (t) => {
  const hanging: Probe = { name: 'docker', measure: () => new Promise(() => {}) }
  const { clock } = steppedClock()
  const deps = { report: async () => {}, clock, log: silentLog, everySeconds: 1, probeDeadlineMs: 20 }
  // It answers without the machine's help, which on a busy one is longer in coming than the deadline.
  const prompt: Probe = { name: 'memory', measure: async () => ({ ok: true, detail: '40 % in use' }) }
  const record = await makeHealth({ ...deps, probes: [hanging, prompt] }).look()
  t.match(record.probes, { docker: { ok: false, detail: /no answer/ }, memory: { detail: /in use/ } })
})

t.test('an image says how old its packages are, and when that is too old', async (t) => {
  const at = (file: string, day: string) => makePackagesProbe({ now: () => Date.parse(day) }, file).measure()
  const file = join(t.testdir({ release: 'ID=debian\nMARSHLIGHT_PACKAGES=2026-01-01\n' }), 'release')
  t.same(await at(file, '2026-01-15'), { ok: true, detail: 'Debian’s of 2026-01-01, 14 day(s) old' })
  t.match(await at(file, '1970-01-01'), { ok: true, detail: / 0 day\(s\) old$/ }, 'a clock that is not set yet')
  t.match(await at(file, '2026-03-02'), { ok: false, detail: /60 day\(s\) old: give it a release/ })
  t.match(await at('/nowhere', '2026-03-02'), { ok: true, detail: /own administrator/ })
})

t.test('the real probes of this machine give a record that fits its schema', async (t) => {
  const down = makeDockerProbe(async () => {
    throw new Error('connect ENOENT /nowhere.sock')
  })
  const probes = [memoryProbe, makeCpuProbe(), temperatureProbe, makeDiskProbe('/'), down]
  const { clock } = steppedClock()
  const record = await makeHealth({ report: async () => {}, clock, log: silentLog, probes, everySeconds: 1 }).look()
  t.same(health.parse(record), record)
  t.match(record.docker, { ok: false, reason: /nowhere/ })
  t.ok(record.agentRssMb > 10)
  t.ok((record.memoryUsedPercent ?? -1) > 0 && (record.memoryUsedPercent ?? 101) < 100)
  t.ok((record.diskFreeMb ?? 0) > 0)
})

import t from 'tap'
import { makeSafety } from '../../../agent/safety/index.ts'
import { systemClock } from '../../../shared/clock.ts'
import { silentLog } from '../../../shared/log.ts'

const safe = '{"tried": 30, "succeeded": []}'

/** Safety over services of decoys `a` and `b`, that goes on until `enough` says so; what was told, and what was taken down. */
async function watched(answers: Record<string, string>, enough: (tries: number, down: string[]) => boolean) {
  const down: string[] = []
  const told: { level?: string; code?: string; data?: unknown }[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  let tries = 0
  const safety = makeSafety({
    engine: {
      containers: async () =>
        Object.keys(answers).map((decoy) => ({
          id: `c-${decoy}`,
          name: decoy,
          labels: { 'marshlight.decoy': decoy, 'marshlight.kind': 'service' },
          running: true,
          startedAt: '2026-03-01T09:59:00Z',
        })) as never,
      exec: async (id) => ({ exitCode: answers[id.slice(2)] === safe ? 0 : 137, output: answers[id.slice(2)] ?? '' }),
    },
    report: async (_, records) => void told.push(...(records as unknown as object[])),
    clock: systemClock,
    log: silentLog,
    decoys: () =>
      Object.keys(answers)
        .filter((decoy) => !down.some((one) => one.startsWith(decoy)))
        .map((decoy) => ({ decoy, ip: '198.18.1.50', egress: [] })),
    takeDown: async (decoy, reason) => void down.push(`${decoy}: ${reason}`),
    everySeconds: 0,
    lookEveryMs: 1,
    onVerdict: (name) => {
      if (name === 'a') tries++
      if (enough(tries, down)) resolve()
    },
  })
  await safety.start(new AbortController().signal)
  await promise
  await safety.stop()
  return { down, told }
}

t.test('a decoy that cannot be tried is told as an error, and goes where another could be tried', async (t) => {
  const { down, told } = await watched({ a: 'Killed', b: safe }, (_, down) => down.length > 0)
  t.match(down, [/^a: it could not be tried 6 times in a row, while others could: .*Killed/])
  t.match(told, [
    { level: 'error', code: 'SAFETY_UNKNOWN', data: { decoy: 'a' } },
    { level: 'error', code: 'DECOY_UNSAFE', data: { decoy: 'a' } },
  ])
})

t.test('where none can be tried the decoys stay, and it is told', async (t) => {
  const { down, told } = await watched({ a: 'no engine', b: 'no engine' }, (tries) => tries >= 20)
  t.same(down, [])
  t.same(
    told.map(({ code }) => code),
    ['SAFETY_UNKNOWN', 'SAFETY_UNKNOWN'],
  )
})

import t from 'tap'
import { drawnFrom } from '../../../agent/mimicry/drawn-from.ts'
import { sliceOf } from '../../../agent/mimicry/slice.ts'
import { mimicryPlan, type TrafficPattern } from '../../../shared/schemas/mimicry.ts'

const hour = 3_600_000
const from = Date.parse('2026-03-02T09:00:00Z')
const pattern = (kind: string, n = 500): TrafficPattern => ({
  kind,
  hourly: new Array(24).fill(30),
  burst: 0.5,
  gapMs: [500, 900, 4000],
  exchanges: [2],
  classes: [{ share: 1, request: [60, 90], response: [300], pauseMs: [5] }],
  n,
})
const broadcasts = ['mdns', 'ssdp', 'dhcp', 'netbios', 'llmnr', 'udp 1900'].map((kind) => pattern(kind))
const place = { ip: '198.18.1.3', names: ['deb.example'] }
const plan = mimicryPlan.parse({
  ...{ seed: 's', mimicryLevel: 'high', instantiations: 1, parameterVariation: 0, driftThreshold: 30 },
  ...{ mostAnHour: 3600, mostBytesAnHour: 1e9, patterns: [] },
  targets: [
    { role: 'resolver', ...place, port: 53, proto: 'udp' },
    { role: 'updates', ...place, port: 80, proto: 'tcp' },
    { role: 'clock', ...place, port: 123, proto: 'udp' },
    { role: 'peer', ...place, port: 21_000, proto: 'tcp' },
  ],
})
const kindsOf = (patterns: readonly TrafficPattern[]) => {
  const day = sliceOf({ plan, patterns, draws: [0], measured: new Map() }, from, from + 24 * hour).asked
  return [...new Set(day.map(({ kind }) => kind))].sort()
}

t.test('where broadcasts alone are heard, decoys look up names, fetch updates and talk all the same', async (t) => {
  for (const [told, seen] of [
    [[], broadcasts],
    [broadcasts, []],
    [broadcasts, broadcasts],
    [[], []],
  ] as const)
    t.strictSame(kindsOf(drawnFrom(told, seen)), ['dns', 'http', 'https', 'ntp', 'ssh'])
})

t.test('what was seen goes before shapes of our own, each for what it stands for', async (t) => {
  const kinds = (...args: Parameters<typeof drawnFrom>) => drawnFrom(...args).map(({ kind, n }) => `${kind} ${n}`)
  t.strictSame(kinds([], [...broadcasts, pattern('dns'), pattern('smb')]), ['dns 500', 'smb 500', 'http 0', 'ntp 0'])
  t.strictSame(kinds([pattern('ssh', 9)], [pattern('dns')]), ['ssh 9', 'dns 0', 'http 0', 'ntp 0'], 'the plan’s first')
})

t.test('shapes of our own keep the hours at which the segment says anything', async (t) => {
  const busyAt = (hours: number[]) =>
    broadcasts.map((one) => ({ ...one, hourly: one.hourly.map((_, h) => (hours.includes(h) ? 40 : 0)) }))
  const patterns = drawnFrom([], busyAt([20, 21, 22]))
  const day = sliceOf({ plan, patterns, draws: [0], measured: new Map() }, from, from + 24 * hour).asked
  const began = Map.groupBy(day, ({ at }) => new Date(at).getUTCHours())
  t.strictSame([...began.keys()].sort(), [20, 21, 22])
  t.ok(day.length > 100, `as many as ever: ${day.length}`)
})

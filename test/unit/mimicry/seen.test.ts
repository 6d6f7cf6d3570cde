import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { makeSeenPatterns } from '../../../agent/mimicry/seen.ts'
import type { Clock } from '../../../shared/clock.ts'
import { silentLog } from '../../../shared/log.ts'

t.test('what was seen of a segment is kept over a restart, fades, and is told once an hour', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mimicry-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  let now = Date.parse('2026-03-02T09:00:00Z')
  const clock: Clock = { now: () => now, sleep: async () => undefined }
  const records: unknown[] = []
  const deps = {
    folder,
    clock,
    log: silentLog,
    report: async (_: unknown, some: readonly unknown[]) => void records.push(...some),
  }
  const seen = makeSeenPatterns(deps)
  const cidr = '198.18.7.0/24'
  const window = (kind: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({
      at: now + i * 1000,
      kind,
      exchanges: [{ request: 40, response: 90, pauseMs: 0 }],
    }))
  const add = async (kind: string, count: number) => {
    const span = { from: now, to: now + 60_000 }
    await seen.add(cidr, window(kind, count), span)
    now += 60_000
  }
  await add('dns', 3)
  t.same([seen.of(cidr), records], [[], []], 'three lookups are no pattern')
  now += 600_000
  await add('dns', 30)
  await add('dns', 30)
  t.match(seen.of(cidr), [{ kind: 'dns', n: 63 }])
  t.match(records, [{ type: 'patterns', cidr, patterns: [{ kind: 'dns' }] }], 'told once')
  const again = makeSeenPatterns(deps)
  await again.open(cidr)
  t.match(again.of(cidr), [{ kind: 'dns', n: 33 }], 'as it was last written')
  now += 8 * 86_400_000
  await add('ssh', 12)
  t.match(
    seen.of(cidr).map(({ kind }) => kind),
    ['ssh'],
    'what is older than a week is gone',
  )
})

t.test('a segment that is to be forgotten leaves nothing, also of what was set aside or comes late', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mimicry-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const records: unknown[] = []
  const deps = {
    folder,
    clock: { now: () => 1e12, sleep: async () => undefined },
    log: silentLog,
    report: async (_: unknown, some: readonly unknown[]) => void records.push(...some),
  }
  const [cidr, other] = ['198.18.7.0/24', '198.18.8.0/24']
  const lookups = Array.from({ length: 40 }, (_, i) => ({
    at: 1e12 - 60_000 + i * 1000,
    kind: 'dns',
    exchanges: [{ request: 40, response: 90, pauseMs: 0 }],
  }))
  const span = { from: 1e12 - 60_000, to: 1e12 }
  const seen = makeSeenPatterns(deps)
  for (const one of [cidr, other]) await seen.add(one, lookups, span)
  await writeFile(join(folder, '198-18-7-0-24.json.bad'), '{}')
  t.match(seen.of(cidr), [{ kind: 'dns' }])
  await seen.forget(['198.18.7.9/24'])
  t.strictSame(await readdir(folder), ['198-18-8-0-24.json'])
  t.same(seen.of(cidr), [])
  t.match(seen.of(other), [{ kind: 'dns' }])
  const told = records.length
  // A window that was under way when the plan came.
  await seen.add(cidr, lookups, span)
  t.same([seen.of(cidr), records.length], [[], told])
  t.strictSame(await readdir(folder), ['198-18-8-0-24.json'])
  // An agent that was off in the meantime, and has its old file.
  await writeFile(join(folder, '198-18-7-0-24.json'), '{"spans":[],"sample":[]}')
  await makeSeenPatterns(deps).forget([cidr])
  t.strictSame(await readdir(folder), ['198-18-8-0-24.json'])
  await seen.forget([])
  await seen.add(cidr, lookups, span)
  t.match(seen.of(cidr), [{ kind: 'dns' }], 'watched again, it is seen anew')
})

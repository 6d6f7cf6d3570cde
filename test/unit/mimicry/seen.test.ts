import { mkdtemp, rm } from 'node:fs/promises'
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

import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { beatPlaces, hungAfterMs, isHung, makeHeartbeats } from '../../../agent/decoys/heartbeats.ts'

const started = '2026-01-01T00:00:00.000Z'

t.test('a service is hung when it beat in this run and no longer does', async (t) => {
  const out = t.testdir()
  let now = 0
  const heartbeats = makeHeartbeats(() => now)
  const quiet = () => heartbeats.quietFor('d', beatPlaces(out, undefined), started)
  t.equal(await quiet(), undefined, 'no heartbeat yet')
  await beatAt(out, '2025-12-31T23:59:00Z')
  t.equal(await quiet(), undefined, 'one of an earlier run')
  await beatAt(out, '2026-01-01T00:00:05Z')
  t.equal(await quiet(), 0)
  now += hungAfterMs
  t.ok(isHung({ quietForMs: (await quiet()) ?? 0 }))
  await beatAt(out, '2026-01-01T00:00:10Z')
  t.equal(await quiet(), 0, 'however late, a new beat is one')
  t.notOk(isHung({}), 'a service that does not beat is not judged')
})

async function beatAt(out: string, at: string): Promise<void> {
  await mkdir(out, { recursive: true })
  await writeFile(join(out, 'alive'), '')
  await utimes(join(out, 'alive'), new Date(at), new Date(at))
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeTestPki } from '../integration/agent-test-pki.ts'
import { makeUpdateWorld, type UpdateWorld, type Version } from '../integration/update-world.ts'
import type { Bench, Row } from './row.ts'

const confirmWithinSeconds = 30
/** After its deadline: the launcher kills, the version before starts, connects and tells. */
const afterDeadlineSeconds = 15
const withinMs = 240_000

/**
 * Real agents, started by the launcher from the shipped bundle: from the moment that a new version is started on trial to
 * the word of the version before that it is back. One hangs and is killed at its deadline of 30 s, the shortest there
 * is; one crashes at each start. And a good one, from the order to its confirmation, without the 20 s that it is
 * watched in the field.
 */
export const fieldUpdateBench: Bench = {
  names: ['update.rollback_seconds', 'update.rollback_crash_seconds', 'update.taken_seconds'],
  async run(progress) {
    const folder = await mkdtemp(join(tmpdir(), 'marshlight-bench-update-'))
    const ends: (() => Promise<void> | void)[] = []
    try {
      const world = await makeUpdateWorld({ folder, after: (work) => void ends.push(work) }, await makeTestPki())
      world.start()
      await world.controller.until('the first hello', () => world.hellos().length > 0, withinMs)
      progress('a good version')
      const good = await measure(world, { version: '1.0.0' }, 'confirmed')
      progress('one that crashes')
      const crashed = await measure(world, { version: '1.1.0', breaks: 'at start' }, 'rolled-back')
      progress('one that hangs')
      const hung = await measure(world, { version: '1.2.0', breaks: 'silently' }, 'rolled-back')
      return [
        row('update.rollback_seconds', hung.fromTrial, confirmWithinSeconds + afterDeadlineSeconds),
        row('update.rollback_crash_seconds', crashed.fromTrial, confirmWithinSeconds),
        row('update.taken_seconds', good.fromOrder, null),
      ]
    } finally {
      for (const end of ends.reverse()) await end()
      await rm(folder, { recursive: true, force: true })
    }
  },
}

/** Seconds from the order, and from the start of the trial, to the last word. Throws where it ends otherwise. */
async function measure(world: UpdateWorld, version: Version, expected: string) {
  const desired = world.desired(await world.makeRelease(version), { confirmWithinSeconds })
  const ordered = performance.now()
  await world.order(desired)
  const isOnTrial = () => world.states(desired.rollout).some(({ phase }) => phase === 'trial')
  await world.controller.until('the trial', isOnTrial, withinMs)
  const begun = performance.now()
  const over = await world.over(desired.rollout, withinMs)
  if (over?.phase !== expected)
    throw new Error(`version ${version.version} ended as ${over?.phase}: ${over?.reason}, not as ${expected}`)
  const now = performance.now()
  return { fromOrder: (now - ordered) / 1000, fromTrial: (now - begun) / 1000 }
}

const row = (name: string, seconds: number, target: number | null): Row => ({
  name,
  value: Math.round(seconds * 10) / 10,
  unit: 's',
  better: 'lower',
  target,
  reference: null,
})

import t, { type Test } from 'tap'
import type { CheckContext } from '../../../agent/cli/checks/check.ts'
import { enrolment, reach } from '../../../agent/cli/checks/controller.ts'
import { checks } from '../../../agent/cli/checks/registry.ts'
import { makeFirstLook } from '../../../agent/cli/first-look.ts'
import { agentConfig } from '../../../agent/config.ts'
import type { Finding } from '../../../agent/console/index.ts'
import { saveWiped } from '../../../agent/enrol/wiped.ts'
import { systemClock } from '../../../shared/clock.ts'
import { newId } from '../../../shared/ids.ts'
import { tempFolder } from '../spool/records.ts'

/** What the first look of a box that belongs to nobody finds. */
async function foundOf(t: Test, claim: CheckContext['claim'], wiped = false): Promise<Finding[]> {
  const over = new AbortController()
  const stateDir = await tempFolder(t)
  const was = { v: 1, agent: newId(), name: 'box', roles: ['decoys'], serial: '1f' } as const
  if (wiped)
    await saveWiped(stateDir, {
      ...was,
      roles: [...was.roles],
      at: '2026-01-01T00:00:00Z',
      reason: 'moved',
      done: true,
    })
  const context = { stateDir, config: agentConfig.parse({}), role: 'decoys', identity: undefined, root: '' } as const
  return new Promise((resolve) => {
    const look = makeFirstLook({
      clock: systemClock,
      signal: over.signal,
      checks: [enrolment, reach],
      context: () => ({ ...context, clock: systemClock, claim }),
      onFound(found) {
        over.abort()
        resolve(found)
      },
    })
    look.anew()
  })
}

t.test('that a box which waits for its file has no controller yet is no finding', async (t) => {
  t.same(await foundOf(t, undefined), [])
})

t.test('that the controller of its claim does not answer is one, of a box that was taken back too', async (t) => {
  for (const wiped of [false, true]) {
    const found = await foundOf(t, { host: '127.0.0.1', port: 9, ca: 'ab'.repeat(32) }, wiped)
    t.match(found, [{ name: 'controller', detail: /turns this box away/ }])
  }
})

t.test('a busy box has time to answer, and the doctor ends when it says', async (t) => {
  for (const { name, withinMs } of checks) t.ok(withinMs >= 15_000 && withinMs <= 30_000, name)
})

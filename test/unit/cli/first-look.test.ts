import t, { type Test } from 'tap'
import type { CheckContext } from '../../../agent/cli/checks/check.ts'
import { enrolment, reach } from '../../../agent/cli/checks/controller.ts'
import { checks } from '../../../agent/cli/checks/registry.ts'
import { makeFirstLook } from '../../../agent/cli/first-look.ts'
import { agentConfig } from '../../../agent/config.ts'
import type { Finding } from '../../../agent/console/index.ts'
import { systemClock } from '../../../shared/clock.ts'
import { tempFolder } from '../spool/records.ts'

/** What the first look of a box that belongs to nobody finds. */
async function foundOf(t: Test, claim: CheckContext['claim']): Promise<Finding[]> {
  const over = new AbortController()
  const stateDir = await tempFolder(t)
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

t.test('that the controller of its claim does not answer is one', async (t) => {
  const found = await foundOf(t, { host: '127.0.0.1', port: 9, ca: 'ab'.repeat(32) })
  t.match(found, [{ name: 'controller', detail: /turns this box away/ }])
})

t.test('a busy box has time to answer, and the doctor ends when it says', async (t) => {
  for (const { name, withinMs } of checks) t.ok(withinMs >= 15_000 && withinMs <= 30_000, name)
})

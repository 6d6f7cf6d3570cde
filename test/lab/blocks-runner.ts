/** Runs the blocks part in the namespace it is started in. Messages in: {apply}, {stop}, {cleanup}; out: records. */
import { makeBlocks, type Role } from '../../agent/blocks/index.ts'
import type { Report } from '../../agent/spool/port.ts'
import { systemClock } from '../../shared/clock.ts'
import { silentLog } from '../../shared/log.ts'
import type { BlockList } from '../../shared/schemas/desired-state.ts'

const given = JSON.parse(process.argv[2] ?? '') as { role: Role; stateDir: string; reconcileEverySeconds: number }
const say = (message: object) => void process.send?.(message)
let askedAt = 0
const report: Report = async (_stream, records) => {
  for (const record of records) say({ ...record, tookMs: performance.now() - askedAt })
}

const blocks = makeBlocks({ ...given, report, clock: systemClock, log: silentLog, nics: async () => ['seg0'] })
process.on('message', async (message: { apply?: BlockList; stop?: true; cleanup?: true }) => {
  if (message.apply) {
    askedAt = performance.now()
    blocks.applyBlocks(message.apply)
  }
  if (message.stop || message.cleanup) await blocks.stop()
  if (message.cleanup) await blocks.cleanup()
  if (message.stop || message.cleanup) process.disconnect()
})
await blocks.start(new AbortController().signal)
say({ type: 'started' })

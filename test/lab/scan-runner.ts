/** Runs the scanner in the namespace it is started in. Messages in: {plan}, {op, id}, {stop}; out: records, {answer} or {refusal}. */
import { makeScanner, type ScanRequest } from '../../agent/scan/index.ts'
import type { Report } from '../../agent/spool/port.ts'
import { systemClock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import { makeLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'

const given = JSON.parse(process.argv[2] ?? '') as { stateDir: string; ownDecoys: { ip: string; mac: string }[] }
const say = (message: object) => void process.send?.(message)
const report: Report = async (_stream, records) => {
  for (const record of records) say(record)
}

const scanner = makeScanner({
  report,
  clock: systemClock,
  random: systemRandom,
  log: makeLog('scan', 'error'),
  ownDecoys: () => given.ownDecoys,
  stateDir: given.stateDir,
})
type Message = { plan?: Plan; op?: ScanRequest; id?: string; stop?: true }
process.on('message', async ({ plan, op, id, stop }: Message) => {
  if (plan) scanner.applyPlan(plan)
  if (op)
    await scanner.request(op, id).then(
      (answer) => say({ type: 'answer', ...answer }),
      (error) => say({ type: 'refusal', code: error.code, message: wordsOf(error) }),
    )
  if (stop) {
    await scanner.stop()
    process.disconnect()
  }
})
await scanner.start(new AbortController().signal)
say({ type: 'running' })

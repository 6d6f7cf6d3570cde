import type { ObservedContainer } from '../engine/port.ts'
import { answers, type CurrentDecoy, lastStart } from './current.ts'
import { type AttemptRules, answered, died, type Entry } from './entry.ts'
import { isHung } from './heartbeats.ts'

export type Settled = { next: Entry; warnings: { code: string; message: string }[] }

/** The entry brought up to date with what was seen: deaths are counted, the first answer is noted. Pure. */
export function settled(
  entry: Entry,
  seen: CurrentDecoy,
  now: { ms: number; at: string },
  rules: AttemptRules,
): Settled {
  const warnings: Settled['warnings'] = []
  let next = entry
  const start = lastStart(seen)
  const services = Object.entries(seen.services).map(([name, { service }]) => [kindOf(name), service] as const)
  for (const [kind, container] of [['pod', seen.pod] as const, ...services])
    if (!next.clear && container?.exitCode !== undefined) {
      const death = { kind, mark: markOf(container), exitCode: container.exitCode, start }
      next = died(next, death, now.ms, rules)
    }
  if (Object.values(seen.services).some(isHung))
    warnings.push({
      code: 'DECOY_HUNG',
      message: `decoy ${entry.ip} gives no sign of life: it is started again`,
    })
  if (answers(seen)) next = answered(next, start, now.at)
  if (next.restarts > entry.restarts)
    warnings.push({ code: 'DECOY_DIED', message: `decoy ${entry.ip}: ${next.reason}` })
  return { next, warnings }
}

/** As deaths are counted and told; Cowrie's were before there were others. */
const kindOf = (service: string): string => (service === 'cowrie' ? 'service' : service)

const markOf = ({ id, finishedAt }: ObservedContainer): string => `${id.slice(0, 12)}@${finishedAt ?? ''}`

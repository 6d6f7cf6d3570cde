import { type Clock, isoNow } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import type { Log } from '../../shared/log.ts'
import type { ScanReport } from '../../shared/schemas/inventory.ts'
import type { Report } from '../spool/port.ts'
import { detailPass, type PassContext, type PassPorts, quickPass } from './passes.ts'

export type Job = { id: string; phase: ScanReport['phase']; request?: string | undefined }

export const newJob = (clock: Clock, phase: Job['phase'], request?: string): Job => ({
  id: newId(clock.now()),
  phase,
  request,
})

/** Runs one pass over one segment and reports its beginning and its end. Resolves with its outcome; throws only if telling fails. */
export async function runJob(
  deps: { report: Report; log: Log; ports: PassPorts },
  job: Job,
  context: PassContext,
): Promise<'done' | 'failed' | 'cancelled'> {
  const { report, log, ports } = deps
  const { segment, addresses } = context.target
  const startedAt = isoNow(ports.clock)
  const tell = (rest: Pick<ScanReport, 'outcome' | 'hostsUp' | 'reason' | 'finishedAt'>) =>
    report('inventory', [
      {
        type: 'scan',
        at: isoNow(ports.clock),
        id: job.id,
        ...(job.request ? { request: job.request } : {}),
        cidr: segment.cidr,
        phase: job.phase,
        startedAt,
        targets: addresses,
        ...rest,
      },
    ])
  const about = { scan: job.id, phase: job.phase, cidr: segment.cidr }
  log.info({ ...about, addresses, request: job.request }, 'scan started')
  await tell({ outcome: 'started', hostsUp: 0 })
  try {
    const { hostsUp, reason } = await (job.phase === 'quick' ? quickPass : detailPass)(ports, context)
    if (reason) log.warn({ ...about, reason }, 'scan done in part')
    else log.info({ ...about, hostsUp }, 'scan done')
    const why = reason ? { reason: reason.slice(0, 512) } : {}
    await tell({ outcome: 'done', hostsUp, ...why, finishedAt: isoNow(ports.clock) })
    return 'done'
  } catch (error) {
    const outcome = context.signal.aborted ? 'cancelled' : 'failed'
    const reason = wordsOf(error).slice(0, 512)
    log[outcome === 'failed' ? 'error' : 'info']({ ...about, reason }, `scan ${outcome}`)
    await tell({ outcome, hostsUp: 0, reason, finishedAt: isoNow(ports.clock) })
    return outcome
  }
}

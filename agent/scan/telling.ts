import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import type { HostSeen } from '../../shared/schemas/inventory.ts'
import type { Report } from '../spool/port.ts'
import type { SegmentState, SetAside } from './held-inventory.ts'
import type { Nic } from './interfaces.ts'
import { newJob } from './job.ts'
import { groupsOf } from './passes.ts'
import type { Refusal } from './targets.ts'

/** Records in one durable append; a host with many ports may take 50 kB. */
const atOnce = 64

/** What the scanner tells the centre, in the records of stream `inventory`. */
export function makeTelling({ report, clock }: { report: Report; clock: Clock }) {
  const hosts = async (all: readonly HostSeen[]): Promise<void> => {
    for (const group of groupsOf(all, atOnce)) await report('inventory', group)
  }

  return {
    hosts,

    gone: (all: readonly HostSeen[]): Promise<void> =>
      report(
        'inventory',
        all.map(({ cidr, ip, mac }) => ({ type: 'gone', at: isoNow(clock), cidr, ip, ...(mac ? { mac } : {}) })),
      ),

    segments: (nics: readonly Nic[]): Promise<void> =>
      report(
        'inventory',
        nics.map((nic) => ({ type: 'segment', at: isoNow(clock), ...nic })),
      ),

    /** Everything known of a segment again, closed by the list of addresses. */
    async fullPicture(nic: Nic, state: SegmentState): Promise<number> {
      const at = isoNow(clock)
      const known = [...state.inventory.values()].map(({ host }) => ({ ...host, at }))
      await report('inventory', [{ type: 'segment', at, ...nic }])
      await hosts(known)
      await report('inventory', [{ type: 'full', at, cidr: nic.cidr, ips: known.map(({ ip }) => ip) }])
      return known.length
    },

    refusal: ({ cidr, error }: Refusal, phase: 'quick' | 'detail', request?: string): Promise<void> => {
      const { id } = newJob(clock, phase)
      const at = isoNow(clock)
      const head = { type: 'scan' as const, at, id, cidr, phase, startedAt: at, finishedAt: at, targets: 0, hostsUp: 0 }
      const reason = `${error.code}: ${error.message}. ${error.next}`.slice(0, 512)
      return report('inventory', [{ ...head, ...(request ? { request } : {}), outcome: 'refused', reason }])
    },

    damage: (damage: SetAside): Promise<void> => {
      const { message } = new MarshlightError('STATE_CORRUPT', damage)
      const head = { type: 'notice' as const, at: isoNow(clock), level: 'error' as const, code: 'STATE_CORRUPT' }
      return report('state', [{ ...head, message: message.slice(0, 1024), data: damage }])
    },
  }
}

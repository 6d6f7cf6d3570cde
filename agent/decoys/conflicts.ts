import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { Arp } from './arp.ts'
import type { Claim } from './arp-line.ts'

export type LivingDecoy = { decoy: string; nic: string; ip: string }

/**
 * Watches, while decoys live, whether a real host claims an address of theirs: a listener on each card, and a probe of
 * each address from time to time, for hosts that only answer.
 */
export function makeConflictWatch(deps: {
  arp: Arp
  clock: Clock
  log: Log
  probeEveryMs: number
  living: () => LivingDecoy[]
  onClaim: (claim: Claim) => void
}) {
  const { arp, clock, log } = deps
  const listeners = new Map<string, { stop: AbortController; done: Promise<void> }>()

  return {
    /** Listens on exactly these cards from now on. */
    listenOn(nics: ReadonlySet<string>): void {
      for (const [nic, { stop }] of listeners)
        if (!nics.has(nic)) {
          stop.abort()
          listeners.delete(nic)
        }
      for (const nic of nics)
        if (!listeners.has(nic)) {
          const stop = new AbortController()
          listeners.set(nic, { stop, done: arp.listen(nic, deps.onClaim, stop.signal) })
        }
    },
    /** Probes one address after another until the signal ends. */
    async probe(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        for (const { nic, ip } of deps.living()) {
          if (signal.aborted) return
          try {
            const mac = await arp.check(nic, ip)
            if (mac !== undefined) deps.onClaim({ ip, mac })
          } catch (error) {
            log.warn({ nic, ip, why: wordsOf(error) }, 'could not probe for a conflict')
            break
          }
        }
        await clock.sleep(deps.probeEveryMs, signal).catch(() => undefined)
      }
    },
    async stop(): Promise<void> {
      const all = [...listeners.values()]
      listeners.clear()
      for (const { stop } of all) stop.abort()
      await Promise.all(all.map(({ done }) => done))
    },
  }
}

import type { Log } from '../../shared/log.ts'
import type { ScanPolicy } from '../../shared/schemas/desired-state.ts'
import type { HostSeen } from '../../shared/schemas/inventory.ts'
import { readInventory, type SegmentState, type SetAside, textOfInventory, writeInventory } from './held-inventory.ts'
import { atOnce, shortened } from './schedule.ts'

/** What is known of each segment and when it is due, in memory and in the state folder. */
export function makeBook({ stateDir, log }: { stateDir: string; log: Log }) {
  let segments = new Map<string, SegmentState>()
  let saved = ''

  return {
    /** Takes over what was known before the restart; gives what was set aside, if it was damaged. */
    async open(now: number): Promise<SetAside | undefined> {
      const { segments: held, damage } = await readInventory(stateDir, now)
      segments = held
      return damage
    },

    /** Only what is new: a quick pass that found nothing is made once more after a restart, and a card is spared. */
    async save(): Promise<void> {
      const text = textOfInventory(segments, false)
      if (text === saved) return
      try {
        await writeInventory(stateDir, segments)
        saved = text
      } catch (error) {
        log.error({ err: error }, 'the inventory could not be saved; after a restart it is told anew')
      }
    },

    /** The state of a segment; one never seen is due at once. */
    of(cidr: string): SegmentState {
      const state = segments.get(cidr) ?? { due: { ...atOnce }, surveyed: false, inventory: new Map() }
      segments.set(cidr, state)
      return state
    },

    hosts: (): HostSeen[] =>
      [...segments.values()].flatMap(({ inventory }) => [...inventory.values()].map(({ host }) => host)),

    /** Takes decoys out that were taken for hosts before their MACs were known, and gives them. */
    dropDecoys(macs: ReadonlySet<string>): HostSeen[] {
      return [...segments.values()].flatMap(({ inventory }) => {
        const decoys = [...inventory.values()].map(({ host }) => host).filter(({ mac }) => mac && macs.has(mac))
        for (const { ip } of decoys) inventory.delete(ip)
        return decoys
      })
    },

    shorten(policy: ScanPolicy, now: number): void {
      for (const state of segments.values()) state.due = shortened(state.due, policy, now)
    },
  }
}

import type { MimicryReport } from '../../shared/schemas/mimicry.ts'
import { type Pair, pairOf } from './asked-and-had.ts'
import type { Asked } from './slice.ts'
import type { Told } from './told.ts'

const hourMs = 3_600_000
/** Conversations of an instance that its score rests on. */
const mostKept = 400

type Counts = Pick<MimicryReport, 'planned' | 'done' | 'failed' | 'bytes' | 'bounded'>
const nothing = (): Counts => ({ planned: 0, done: 0, failed: 0, bytes: 0, bounded: 0 })

/** What one decoy did: since the last report by instance, lately for its score, and in this hour for its bounds. */
export function makeAccounts(instances: number) {
  let counts = Array.from({ length: instances }, nothing)
  const lately: Pair[][] = Array.from({ length: instances }, () => [])
  /** What the pod was asked for and has not told of, by id. */
  const open = new Map<number, Asked>()
  let hour = { hour: 0, made: {} as Record<string, number>, bytes: 0 }
  const ofHour = (now: number) => {
    const number = Math.floor(now / hourMs)
    if (hour.hour !== number) hour = { hour: number, made: {}, bytes: 0 }
    return hour
  }
  return {
    planned: (instance: number, count: number, bounded: number) => {
      const own = counts[instance]
      if (own) Object.assign(own, { planned: own.planned + count, bounded: own.bounded + bounded })
    },
    asked(some: readonly Asked[], now: number): void {
      // What was not told of for so long is gone with the process that was asked.
      for (const { id, at } of open.values()) if (now - at > hourMs) open.delete(id)
      for (const one of some) open.set(one.id, one)
    },
    add(said: Told, now: number): void {
      const spent = ofHour(now)
      if ('bytes' in said) spent.bytes += said.bytes
      if (said.type !== 'done' && said.type !== 'failed' && said.type !== 'bounded') return
      const own = counts[said.instance]
      if (!own) return
      own[said.type]++
      own.bytes += said.bytes
      if (said.type === 'bounded') return
      spent.made[said.instance] = (spent.made[said.instance] ?? 0) + 1
      const asked = open.get(said.id)
      open.delete(said.id)
      if (said.type !== 'done' || asked?.kind !== said.kind) return
      const kept = lately[said.instance] as Pair[]
      kept.push(pairOf(asked, said))
      if (kept.length > mostKept) kept.shift()
    },
    /** What a process that begins now has to count in. */
    spent: (now: number) => ofHour(now),
    lately: (instance: number): readonly Pair[] => lately[instance] ?? [],
    /** It has other parameters from now on: what was before says nothing of them. */
    forget: (instance: number) => void lately[instance]?.splice(0),
    take(): Counts[] {
      const taken = counts
      counts = Array.from({ length: instances }, nothing)
      return taken
    },
  }
}
export type Accounts = ReturnType<typeof makeAccounts>

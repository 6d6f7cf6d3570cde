import { z } from 'zod'
import { untrusted } from '../../shared/schemas/common.ts'
import type { MimicryReport } from '../../shared/schemas/mimicry.ts'
import type { Conversation } from './conversation.ts'

/** What the process in the pod tells. It runs where attackers might come to: its words are held to a form. */
const amount = z.number().min(0).max(1e15)
const place = { id: z.int(), instance: z.int().min(0).max(7), kind: untrusted(32), ip: untrusted(40), port: z.int() }
const had = {
  at: amount,
  exchanges: z.array(z.tuple([amount, amount, amount])).max(512),
  bytes: amount,
  connectMs: amount.optional(),
}
export const told = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), answers: z.boolean() }),
  z.object({ type: z.literal('done'), ...place, ...had }),
  z.object({ type: z.literal('failed'), ...place, ...had, why: untrusted(200).optional() }),
  z.object({ type: z.literal('bounded'), ...place, bytes: amount.default(0), why: untrusted(200).optional() }),
  z.object({ type: z.literal('served'), bytes: amount }),
  z.object({ type: z.literal('ended'), why: untrusted(300) }),
  z.object({ type: z.literal('trouble'), why: untrusted(300) }),
])
export type Told = z.infer<typeof told>

export function toldBy(line: string): Told | undefined {
  try {
    return told.safeParse(JSON.parse(line)).data
  } catch {
    return undefined
  }
}

const hourMs = 3_600_000
/** Conversations of an instance that its score rests on. */
const mostKept = 400

type Counts = Pick<MimicryReport, 'planned' | 'done' | 'failed' | 'bytes' | 'bounded'>
const nothing = (): Counts => ({ planned: 0, done: 0, failed: 0, bytes: 0, bounded: 0 })

/** What one decoy did: since the last report by instance, lately for its score, and in this hour for its bounds. */
export function makeAccounts(instances: number) {
  let counts = Array.from({ length: instances }, nothing)
  const lately: Conversation[][] = Array.from({ length: instances }, () => [])
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
      if (said.type !== 'done') return
      const exchanges = said.exchanges.map(([request, response, pauseMs]) => ({ request, response, pauseMs }))
      const kept = lately[said.instance] as Conversation[]
      kept.push({ at: said.at, kind: said.kind, exchanges })
      if (kept.length > mostKept) kept.shift()
    },
    /** What a process that begins now has to count in. */
    spent: (now: number) => ofHour(now),
    lately: (instance: number): readonly Conversation[] => lately[instance] ?? [],
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

import { z } from 'zod'
import { untrusted } from '../../shared/schemas/common.ts'

/** What the process in the pod tells. It runs where attackers might come to: its words are held to a form. */
const amount = z.number().min(0).max(1e15)
const place = { id: z.int(), instance: z.int().min(0).max(7), kind: untrusted(32), ip: untrusted(40), port: z.int() }
const had = {
  at: amount,
  exchanges: z.array(z.tuple([amount, amount, amount])).max(512),
  bytes: amount,
  connectMs: amount.optional(),
  /** Of answers in several pieces: what came after the first piece, and how long that took. */
  movedBytes: amount.optional(),
  movedMs: amount.optional(),
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

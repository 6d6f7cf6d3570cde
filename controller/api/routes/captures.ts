import { z } from 'zod'
import { MarshlightError } from '../../../shared/errors.ts'
import { partsKept, readBlob } from '../../store/blobs.ts'
import { check } from '../body.ts'
import type { Routes } from '../port.ts'
import { decoyFor } from './decoys.ts'

const wish = z.strictObject({
  /** Absent: from the ring's beginning, or to its end. */
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
  mostMb: z.int().min(1).max(64).default(16),
})
/** What an agent says it sends. */
const announced = z.object({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().min(1),
  packets: z.int().min(1),
  leftOut: z.int().min(0),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  parts: z.int().min(1),
})
const cutWithinMs = 60_000

export type AnnouncedCapture = z.infer<typeof announced>
export type CaptureStanding = { sha256: string; whole: boolean; parts: number }

/** A part of a decoy's ring: asked of its appliance, then followed until all of it has come, then read. */
export const captureRoutes: Routes = (app, { store, requests }) => {
  app.post<{ Params: { ref: string } }>(
    '/v1/decoys/:ref/capture',
    async ({ params, body }): Promise<AnnouncedCapture> => {
      const decoy = await decoyFor(store, params.ref)
      const { from, to, mostMb } = check(wish, body)
      const between = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
      const op = { name: 'capture' as const, decoy: decoy.id, mostMb, ...between }
      const reply = await requests.send(decoy.agent, op, { timeoutMs: cutWithinMs })
      if (reply.ok) return announced.parse(reply.result)
      throw new MarshlightError('CONFLICT', {
        what: reply.error?.message ?? 'the appliance gave no reason',
        next: 'Is capture on in the configuration? A longer time may have more.',
      })
    },
  )

  app.get<{ Params: { sha256: string } }>('/v1/captures/:sha256', async ({ params }): Promise<CaptureStanding> => {
    const { sha256 } = params
    const whole = (await readBlob(store, sha256))?.kind === 'packets'
    return { sha256, whole, parts: whole ? 0 : await partsKept(store, sha256) }
  })

  app.get<{ Params: { sha256: string } }>('/v1/captures/:sha256/data', async ({ params }, reply) => {
    const blob = await readBlob(store, params.sha256)
    if (blob?.kind !== 'packets')
      throw new MarshlightError('NOT_FOUND', {
        kind: 'capture',
        value: params.sha256,
        command: 'marshlight decoys capture',
      })
    reply.header('content-disposition', 'attachment').type('application/vnd.tcpdump.pcap')
    return blob.data
  })
}

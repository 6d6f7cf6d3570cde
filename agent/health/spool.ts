import { streamNames } from '../../shared/schemas/envelope.ts'
import type { Spool } from '../spool/port.ts'
import type { Probe } from './probe.ts'

/** Records that wait for the controller, and the room they take. */
export const makeSpoolProbe = (spool: Pick<Spool, 'bytes' | 'standing'>, limitBytes: number): Probe => ({
  name: 'spool',
  async measure() {
    const depth = Object.fromEntries(
      streamNames.map((stream) => {
        const { acknowledged, next } = spool.standing(stream)
        return [stream, next - acknowledged]
      }),
    )
    const mb = spool.bytes() / 2 ** 20
    const percent = (100 * spool.bytes()) / limitBytes
    return {
      ok: percent < 80,
      detail: `${mb.toFixed(1)} MB, ${percent.toFixed(0)} % of its limit`,
      finding: { spoolMb: Math.round(mb * 10) / 10, spoolDepth: depth },
    }
  },
})

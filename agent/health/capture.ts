import type { CaptureStanding } from '../capture/ports.ts'
import type { Probe } from './probe.ts'

/** Whether the traffic of decoys is looked at and kept. A ring that is not written costs evidence, and no feature. */
export const makeCaptureProbe = (standing: () => CaptureStanding | undefined): Probe => ({
  name: 'capture',
  async measure() {
    const now = standing()
    if (!now) return { ok: true, detail: 'not begun' }
    const { decoys, unlooked, missed, rings, unwritten } = now
    const looked = `${decoys - unlooked} of ${decoys} decoys, ${missed} packets missed`
    const [first] = rings
    if (!first) return { ok: unlooked === 0, detail: looked }
    const lost = `${(unwritten / 1_048_576).toFixed(1)} MB of packets not kept`
    return { ok: false, detail: `${looked}; ${rings.length} rings cannot be written (${first.why}), ${lost}` }
  },
})

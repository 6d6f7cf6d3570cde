import type { Probe } from './probe.ts'

const farMs = 2000

/** How far this clock is from the controller's, as last learned from its messages; positive: this clock is ahead. */
export const makeClockProbe = (offsetMs: () => number | undefined): Probe => ({
  name: 'clock',
  async measure() {
    const offset = offsetMs()
    if (offset === undefined) return { ok: true, detail: 'not compared yet' }
    return {
      ok: Math.abs(offset) < farMs,
      detail: `${Math.round(offset)} ms from the controller`,
      finding: { clockOffsetMs: Math.round(offset) },
    }
  },
})

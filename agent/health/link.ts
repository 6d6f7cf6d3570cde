import type { Link } from '../link/port.ts'
import type { Probe } from './probe.ts'

/** Whether the controller is connected, and since when. */
export const makeLinkProbe = (link: Pick<Link, 'standing'>): Probe => ({
  name: 'link',
  async measure() {
    const { connected, since, lastError } = link.standing()
    const detail = connected ? `connected since ${since ?? 'just now'}` : (lastError ?? 'not connected')
    return { ok: connected, detail, ...(connected && since !== undefined && { finding: { linkUpSince: since } }) }
  },
})

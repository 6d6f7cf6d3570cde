import type { Probe } from './probe.ts'

/** Where the status page of this box is, while it is there: for who asks the centre. */
export const makePageProbe = (page: () => string | undefined): Probe => ({
  name: 'page',
  async measure() {
    return { ok: true, detail: page() ?? 'not there' }
  },
})

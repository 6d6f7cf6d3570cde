import { wordsOf } from '../../shared/errors.ts'
import type { Probe } from './probe.ts'

/** Whether the container engine answers. */
export const makeDockerProbe = (ping: () => Promise<{ version: string }>): Probe => ({
  name: 'docker',
  async measure() {
    try {
      const { version } = await ping()
      return { ok: true, detail: `Docker Engine ${version}`, finding: { docker: { ok: true, version } } }
    } catch (error) {
      const reason = wordsOf(error).slice(0, 256)
      return { ok: false, detail: reason, finding: { docker: { ok: false, reason } } }
    }
  },
})

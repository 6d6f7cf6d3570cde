import { makePageSharingProbe } from '../../health/index.ts'
import { type Check, usualMs } from './check.ts'

/** Decoys run without it too, so that only their memory is at stake. It is looked at; the running agent sets it going. */
export const pageSharing: Check = {
  name: 'page sharing',
  withinMs: usualMs,
  roles: ['decoys'],
  async run() {
    const { ok, detail } = await makePageSharingProbe().measure()
    const next = 'Use a kernel with CONFIG_KSM, 6.4 or later, and give the agent /sys writable; or plan 60 MB a decoy.'
    return { ok: true, detail, ...(!ok && { next }) }
  },
}

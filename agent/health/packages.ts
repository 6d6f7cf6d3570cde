import { readFile } from 'node:fs/promises'
import type { Clock } from '../../shared/clock.ts'
import type { Probe } from './probe.ts'

const dayMs = 86_400_000
/** From then on an image lacks too much of what Debian mended since: it gets that by a release only. */
const oldDays = 60

/** Of which day the Debian packages of this image are; its build writes that into /etc/os-release. */
export const makePackagesProbe = (clock: Pick<Clock, 'now'>, osRelease = '/etc/os-release'): Probe => ({
  name: 'packages',
  async measure() {
    const day = /^MARSHLIGHT_PACKAGES=(\d{4}-\d\d-\d\d)$/m.exec(await readFile(osRelease, 'utf8').catch(() => ''))?.[1]
    if (day === undefined) return { ok: true, detail: 'Debian’s, as this machine’s own administrator updates them' }
    const days = Math.max(0, Math.floor((clock.now() - Date.parse(day)) / dayMs))
    const detail = `Debian’s of ${day}, ${days} day(s) old`
    return days < oldDays
      ? { ok: true, detail }
      : { ok: false, detail: `${detail}: give it a release with a newer system` }
  },
})

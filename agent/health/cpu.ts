import { readFile } from 'node:fs/promises'
import type { Probe } from './probe.ts'

/** Share of time that the processors were not idle since the last look. */
export function makeCpuProbe(): Probe {
  let last = { busy: 0, all: 0 }
  return {
    name: 'cpu',
    async measure() {
      const [, ...fields] = ((await readFile('/proc/stat', 'utf8')).split('\n', 1)[0] ?? '').trim().split(/\s+/)
      const times = fields.slice(0, 8).map(Number)
      const all = times.reduce((sum, time) => sum + time, 0)
      const busy = all - (times[3] ?? 0) - (times[4] ?? 0)
      const percent = all > last.all ? (100 * (busy - last.busy)) / (all - last.all) : 0
      last = { busy, all }
      return {
        ok: true,
        detail: `${percent.toFixed(0)} % busy`,
        finding: { cpuPercent: Math.round(percent * 10) / 10 },
      }
    },
  }
}

import { readFile } from 'node:fs/promises'
import type { Probe } from './probe.ts'

const highPercent = 92

/** Memory in use as the kernel sees it (total less available), and this process's own. */
export const memoryProbe: Probe = {
  name: 'memory',
  async measure() {
    const text = await readFile('/proc/meminfo', 'utf8')
    const kb = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(text)?.[1])
    const used = 100 * (1 - kb('MemAvailable') / kb('MemTotal'))
    const rssMb = process.memoryUsage.rss() / 2 ** 20
    return {
      ok: used < highPercent,
      detail: `${used.toFixed(0)} % in use`,
      finding: { memoryUsedPercent: round(used), agentRssMb: round(rssMb) },
    }
  },
}

const round = (value: number) => Math.round(value * 10) / 10

import type { Probe } from './probe.ts'

/** Above this a Raspberry Pi slows its processor down. */
const hotC = 80

/** The processor's temperature, where the machine tells it (systeminformation). */
export const temperatureProbe: Probe = {
  name: 'temperature',
  async measure() {
    const { default: cpu } = await import('systeminformation/lib/cpu.js')
    const { main } = await cpu.cpuTemperature()
    if (typeof main !== 'number' || !Number.isFinite(main)) return { ok: true, detail: 'this machine tells none' }
    return { ok: main < hotC, detail: `${main} °C`, finding: { temperatureC: main } }
  },
}

import type { MeasuringClient } from './measured-ssh.ts'

/** What was asked for and what came, with the interval of 95 % in which the true value of what came lies. */
export type Applied = { name: string; unit: string; requested: number; measured: number; low: number; high: number }

/** Median, and the interval by ranks (the sign test's). */
export function medianOf(values: readonly number[]): { measured: number; low: number; high: number } {
  const sorted = [...values].sort((a, b) => a - b)
  const [middle, half] = [sorted.length / 2, 0.98 * Math.sqrt(sorted.length)]
  const at = (rank: number) => sorted[Math.max(0, Math.min(sorted.length - 1, Math.round(rank)))] ?? Number.NaN
  return { measured: at(middle), low: at(middle - half), high: at(middle + half) }
}

/** Deviation of what came from what was asked for, as a part of that. */
export const deviation = ({ requested, measured }: Applied): number => Math.abs(measured - requested) / requested

/** Waits of several sessions side by side, each line after the other, without what they take anyway. */
export async function waitsOf(clients: readonly MeasuringClient[], times: number, usual = 0): Promise<number[]> {
  const waits = clients.map(async (client) => {
    const lines = await client.lines()
    const found = await lines.waits(times)
    lines.close()
    return found
  })
  return (await Promise.all(waits)).flat().map((ms) => ms - usual)
}

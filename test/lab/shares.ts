import { wilson } from '../../shared/statistics/index.ts'

/** What comes of many requests, by kind. */
export const counts = (all: readonly { came: string }[]) => {
  const found: Record<string, number> = {}
  for (const { came } of all) found[came] = (found[came] ?? 0) + 1
  return found
}
/** Whether a share that was asked for is one that so many of so many speak for. */
export const speaksFor = (share: number, k: number, n: number) => {
  const { low, high } = wilson(k, n, 0.999)
  return low <= share && share <= high
}

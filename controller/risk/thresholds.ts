export const thresholdNames = ['alert', 'deploy', 'reconfigure', 'block'] as const
export type ThresholdName = (typeof thresholdNames)[number]
export type Level = { threshold: ThresholdName; above: boolean; toldMs: number }
export type Crossing = { threshold: ThresholdName; again: boolean }

/** A source must fall below this share of a threshold before it can cross it anew. */
export const hysteresis = 0.8
/** Thresholds that are told again while a source goes on above them: what they led to expires or ends. */
const repeated: readonly ThresholdName[] = ['alert', 'block']

/**
 * What new evidence means: which thresholds the source crossed, and how its levels stand now. A score falls only by
 * time and rises only by evidence, so to compare it just before (`before`) and just after evidence sees every fall.
 */
export function crossingsOf(
  levels: readonly Level[],
  scores: { before: number; after: number },
  o: { thresholds: Record<ThresholdName, number>; nowMs: number; repeatMs: number },
): { crossings: Crossing[]; levels: Level[] } {
  const crossings: Crossing[] = []
  const next: Level[] = []
  for (const threshold of thresholdNames) {
    const value = o.thresholds[threshold]
    const level = levels.find((one) => one.threshold === threshold)
    const stillAbove = level?.above === true && scores.before >= value * hysteresis
    const over = scores.after >= value
    const due = repeated.includes(threshold) && level !== undefined && o.nowMs - level.toldMs >= o.repeatMs
    const tells = over && (!stillAbove || due)
    if (tells) crossings.push({ threshold, again: stillAbove })
    if (level || tells)
      next.push({ threshold, above: stillAbove || over, toldMs: tells ? o.nowMs : (level?.toldMs ?? o.nowMs) })
  }
  return { crossings, levels: next }
}

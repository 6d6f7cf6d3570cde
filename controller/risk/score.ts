import type { EvidenceRule } from './evidence.ts'

/** A sum of happenings, each worth 1 when it happened and half as much after each half-life; `amount` is as of `refMs`. */
export type Decaying = { amount: number; refMs: number }
/** What stands against a source, of one kind. */
export type Evidence = Decaying & { evidence: string; count: number; detail: string | null }
export type Reason = { evidence: string; points: number; count: number; words: string }
export type Score = { score: number; reasons: Reason[] }

export const nothing: Decaying = { amount: 0, refMs: Number.NEGATIVE_INFINITY }

/** The sum at `atMs`, milliseconds. */
export function amountAt({ amount, refMs }: Decaying, atMs: number, halfLifeMs: number): number {
  return amount === 0 ? 0 : amount * 2 ** ((refMs - atMs) / halfLifeMs)
}

/** One more happening at `atMs`. The same happenings in any order give the same sum (up to rounding). */
export function withHappening(sum: Decaying, atMs: number, halfLifeMs: number): Decaying {
  const refMs = Math.max(sum.refMs, atMs)
  return { refMs, amount: amountAt(sum, refMs, halfLifeMs) + 2 ** ((atMs - refMs) / halfLifeMs) }
}

/**
 * Noisy-or: 100 * (1 - prod(1 - w * f)), f = min(1, amount / full) (Pearl, Probabilistic Reasoning in Intelligent
 * Systems, 4.3.2). From 0 to below 100, rising with each piece of evidence, falling to 0 with time, and the same in
 * whatever order evidence came. A reason's points are what it would score alone.
 */
export function scoreOf(evidence: readonly Evidence[], rules: readonly EvidenceRule[], nowMs: number): Score {
  const byId = new Map(rules.map((rule) => [rule.id, rule]))
  let innocent = 1
  const reasons: Reason[] = []
  for (const one of evidence) {
    const rule = byId.get(one.evidence)
    if (!rule) continue
    const amount = amountAt(one, Math.max(nowMs, one.refMs), rule.halfLifeMs)
    const strength = rule.weight * Math.min(1, amount / rule.full)
    innocent *= 1 - strength
    const points = rounded(100 * strength)
    if (points >= 0.1) reasons.push({ evidence: rule.id, points, count: one.count, words: wordsFor(rule, one) })
  }
  reasons.sort((a, b) => b.points - a.points || (a.evidence < b.evidence ? -1 : 1))
  return { score: rounded(100 * (1 - innocent)), reasons }
}

const rounded = (value: number) => Math.round(value * 1000) / 1000

const wordsFor = (rule: EvidenceRule, { count, detail }: Evidence) =>
  (count === 1 ? rule.one : rule.many).replace(/\{(count|detail)\}/g, (_, name) =>
    name === 'count' ? String(count) : (detail ?? 'unknown'),
  )

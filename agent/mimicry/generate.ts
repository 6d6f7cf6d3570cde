import { pickWeighted, type Random, seededRandom } from '../../shared/random.ts'
import type { Conversation, Exchange } from './conversation.ts'
import type { Pattern } from './patterns.ts'
import { drawFrom } from './quantiles.ts'

export type MimicryLevel = 'low' | 'medium' | 'high'
export type GenerateOptions = {
  seed: string
  /** How much of the sample's rate is generated. */
  level: MimicryLevel
  /** Instances that each behave like the pattern, with slightly different parameters. */
  instantiations: number
  /** How far rates, sizes and pauses of an instance may be from the pattern's: 0.1 is a tenth up or down. */
  parameterVariation: number
  /** No instance has more conversations an hour, whatever the sample shows. */
  mostAnHour: number
}

/** Of the sample's conversations, shared among all instances. */
const shareOf: Record<MimicryLevel, number> = { low: 0.1, medium: 0.4, high: 1 }
const hourMs = 3_600_000

/**
 * Conversations of the patterns' shape from `from` to `to`, by instance: no replay, each number is drawn. The same seed gives
 * the same conversations. Rates follow the hours of the day, and bursts those of the sample. Pure.
 */
export function generate(
  patterns: readonly Pattern[],
  options: GenerateOptions,
  from: number,
  to: number,
): Conversation[][] {
  return Array.from({ length: options.instantiations }, (_, instance) => {
    const random = seededRandom(`${options.seed}/${instance}`)
    return patterns.flatMap((pattern) => ofOne(pattern, options, from, to, random)).sort((a, b) => a.at - b.at)
  })
}

function ofOne(pattern: Pattern, options: GenerateOptions, from: number, to: number, random: Random): Conversation[] {
  const { level, instantiations, parameterVariation, mostAnHour } = options
  const about = () => 1 + parameterVariation * (2 * random() - 1)
  const own = { rate: (shareOf[level] / instantiations) * about(), size: about(), pause: about() }
  const conversations: Conversation[] = []
  const inHour = new Map<number, number>()
  const add = (at: number) => {
    const hour = Math.floor(at / hourMs)
    const before = inHour.get(hour) ?? 0
    if (at >= to || before >= mostAnHour) return
    inHour.set(hour, before + 1)
    conversations.push({ at, kind: pattern.kind, exchanges: exchangesOf(pattern, own, random) })
  }
  // Beginnings of bursts come at random with the hour's rate; each is followed as often as in the sample.
  const busiest = Math.max(...pattern.hourly)
  const perMs = (busiest * own.rate * (1 - pattern.burst)) / hourMs
  if (perMs <= 0) return []
  const waitMs = () => -Math.log(1 - random()) / perMs
  for (let at = from + waitMs(); at < to; at += waitMs()) {
    if (random() * busiest >= (pattern.hourly[new Date(at).getUTCHours()] as number)) continue
    let next = at
    add(next)
    while (pattern.gapMs.length > 0 && random() < pattern.burst) {
      next += drawFrom(pattern.gapMs, random)
      add(next)
    }
  }
  return conversations
}

function exchangesOf(pattern: Pattern, own: { size: number; pause: number }, random: Random): Exchange[] {
  const count = Math.max(1, Math.round(drawFrom(pattern.exchanges, random)))
  return Array.from({ length: count }, () => {
    const chosen = pickWeighted(
      random,
      pattern.classes.map((one) => [one, one.share] as const),
    )
    return {
      request: Math.round(drawFrom(chosen.request, random) * own.size),
      response: Math.round(drawFrom(chosen.response, random) * own.size),
      pauseMs: drawFrom(chosen.pauseMs, random) * own.pause,
    }
  })
}

import type { Random } from '../../shared/random.ts'
import type { DriftType, Intensity } from '../../shared/schemas/drift.ts'
import { gamma, normal } from '../../shared/statistics/draws.ts'

/** What an attacker's view of a decoy can be given; `none` is the control group's. */
export type Arm = 'none' | `${DriftType}.${Intensity}`

/** What is believed of an arm's engagement for a class of attackers: count of sources, mean and spread of log(1 + points). */
export type Belief = { n: number; mean: number; squares: number }
/** By class of attackers, then by arm. */
export type Beliefs = Record<string, Partial<Record<Arm, Belief>>>

export type BanditRules = {
  arms: readonly Arm[]
  /** Part of the sources that see no drift whatever is believed, so that the effect stays measurable. */
  control: number
  /** Sources that met a lower intensity of the same type before the next higher one may be tried. */
  leastBefore: number
  /** An arm that is worse than none with this certainty rests. */
  restAt: number
}

export const defaultRules: BanditRules = {
  arms: ['none', ...(['latency', 'alteration', 'error'] as const).flatMap((type) => steps(type))],
  control: 0.1,
  leastBefore: 10,
  restAt: 0.95,
}

function steps(type: DriftType): Arm[] {
  return [`${type}.low`, `${type}.medium`, `${type}.high`]
}

/** Before anything was seen: a source engages about as much as e^1, give or take e^1, and that is worth two sources. */
const prior = { worth: 2, mean: 1, shape: 2, scale: 1 }
const unseen: Belief = { n: 0, mean: 0, squares: 0 }

/** `seconds` and `commands` of a session and the files it touched, as one number that grows ever slower: log(1 + points). */
export const engagementOf = (session: {
  seconds: number
  commands: number
  files: number
  returned: boolean
}): number => Math.log1p(session.seconds / 60 + session.commands + 2 * session.files + (session.returned ? 10 : 0))

export function learn(beliefs: Beliefs, attackers: string, arm: Arm, engagement: number): Beliefs {
  const known = beliefs[attackers]?.[arm] ?? unseen
  const n = known.n + 1
  const mean = known.mean + (engagement - known.mean) / n
  const squares = known.squares + (engagement - known.mean) * (engagement - mean)
  return { ...beliefs, [attackers]: { ...beliefs[attackers], [arm]: { n, mean, squares } } }
}

/** As if an observation that was learned from had been another. */
export function relearn(
  beliefs: Beliefs,
  attackers: string,
  arm: Arm,
  { was, is }: { was: number; is: number },
): Beliefs {
  const known = beliefs[attackers]?.[arm]
  if (!known || known.n === 0) return learn(beliefs, attackers, arm, is)
  const mean = known.mean + (is - was) / known.n
  // Below nought by rounding alone.
  const squares = Math.max(0, known.squares + (is - was) * (is - mean + was - known.mean))
  return { ...beliefs, [attackers]: { ...beliefs[attackers], [arm]: { ...known, mean, squares } } }
}

/**
 * The arm for the next source of a class: of each arm that may be tried a mean is drawn from what is believed of it, and
 * the largest wins (Thompson 1933; normal observations with unknown mean and spread: Bernardo and Smith 2000, 5.2). A part goes to the
 * control group first.
 */
export function chooseArm(beliefs: Beliefs, attackers: string, random: Random, rules: BanditRules = defaultRules): Arm {
  if (random() < rules.control) return 'none'
  const known = beliefs[attackers] ?? {}
  const drawn = open(known, random, rules).map((arm) => [arm, drawMean(known[arm] ?? unseen, random)] as const)
  return drawn.reduce((best, one) => (one[1] > best[1] ? one : best))[0]
}

/** Arms that may be tried: the lower intensity is known, and the arm is not worse than none for certain. */
function open(known: Partial<Record<Arm, Belief>>, random: Random, { arms, leastBefore, restAt }: BanditRules): Arm[] {
  const none = known.none ?? unseen
  return arms.filter((arm, i) => {
    const before = arms[i - 1]
    const follows = before?.split('.')[0] === arm.split('.')[0]
    if (follows && before && (known[before]?.n ?? 0) < leastBefore) return false
    const belief = known[arm]
    if (arm === 'none' || !belief || belief.n < leastBefore || none.n < leastBefore) return true
    return worseShare(belief, none, random) < restAt
  })
}

/** How surely an arm is worse than another: the part of draws in which it is. */
function worseShare(arm: Belief, other: Belief, random: Random): number {
  const draws = 40
  let worse = 0
  for (let i = 0; i < draws; i++) if (drawMean(arm, random) < drawMean(other, random)) worse++
  return worse / draws
}

function drawMean({ n, mean, squares }: Belief, random: Random): number {
  const worth = prior.worth + n
  const shape = prior.shape + n / 2
  const scale = prior.scale + squares / 2 + (prior.worth * n * (mean - prior.mean) ** 2) / (2 * worth)
  const precision = gamma(random, shape) / scale
  return (prior.worth * prior.mean + n * mean) / worth + normal(random) / Math.sqrt(worth * precision)
}

import { type Arm, type Beliefs, chooseArm, learn } from '../../controller/drift/bandit.ts'
import { pickWeighted, type Random } from '../../shared/random.ts'
import { normal } from '../../shared/statistics/draws.ts'

/** How many times as long a kind of attacker stays with an arm; 1 where none is named. */
export type Taste = { name: string; weight: number; usual: number; likes: Partial<Record<Arm, number>> }

/** Kinds with different taste: no arm is best for all, and some drive away. */
export const tastes: Taste[] = [
  {
    name: 'script',
    weight: 5,
    usual: 1.5,
    likes: { 'latency.high': 0.6, 'error.low': 1.2, 'error.medium': 1.5, 'error.high': 0.5, 'alteration.high': 0.8 },
  },
  {
    name: 'curious',
    weight: 3,
    usual: 8,
    likes: {
      'alteration.low': 1.2,
      'alteration.medium': 1.8,
      'alteration.high': 1.3,
      'error.high': 0.7,
      'latency.high': 0.7,
    },
  },
  {
    name: 'prober',
    weight: 2,
    usual: 4,
    likes: {
      'latency.low': 1.3,
      'latency.medium': 1.6,
      'latency.high': 1.2,
      'alteration.high': 0.4,
      'error.medium': 0.7,
    },
  },
]

/** The engagement of one session: log-normal about what that kind does, times its taste for the arm. */
export const sessionOf = (taste: Taste, arm: Arm, random: Random): number =>
  Math.log1p(taste.usual * (taste.likes[arm] ?? 1) * Math.exp(0.6 * normal(random)))

export type Told = { engagement: number; arm: Arm; taste: string }

/** So many sessions, one after another, each arm chosen by what was learnt from those before. */
export function manySessions(count: number, random: Random): Told[] {
  let beliefs: Beliefs = {}
  return Array.from({ length: count }, () => {
    const taste = pickWeighted(
      random,
      tastes.map((one) => [one, one.weight] as const),
    )
    const arm = chooseArm(beliefs, taste.name, random)
    const engagement = sessionOf(taste, arm, random)
    beliefs = learn(beliefs, taste.name, arm, engagement)
    return { engagement, arm, taste: taste.name }
  })
}

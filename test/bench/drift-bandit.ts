import { seededRandom } from '../../shared/random.ts'
import { campaign, sessionOf, type Told } from '../drift/simulated-attackers.ts'
import { type Bench, percentileOf, type Row } from './row.ts'

const sessions = 1000
const campaigns = 20

/**
 * Engagement of simulated attackers of three tastes whose drift the product's lot and bandit choose, by the class that
 * their conduct shows, against the same attackers at static decoys. A campaign is 1,000 sessions and begins with nothing
 * known; each has its own ratio and its own interval, source by source. The rows tell the middle one of twenty campaigns:
 * what one campaign of 1,000 sessions shows, not what twenty of them together do. The ratio is of mean log(1 + points), as
 * in `marshlight drift report`; `points_gain` is that of the points themselves (minutes and commands).
 */
export const driftBanditBench: Bench = {
  names: [
    ...['bandit.engagement_gain', 'bandit.engagement_gain_least', 'bandit.engagement_gain_most'],
    ...['bandit.points_gain', 'bandit.best_possible_gain', 'bandit.campaigns_sure'],
  ],
  async run(progress) {
    const all = Array.from({ length: campaigns }, (_, run) => oneCampaign(run))
    const middle = (of: (one: Measured) => number) => percentileOf(all.map(of), 50)
    const ratio = middle(({ gain }) => gain.ratio)
    const [least, most] = [middle(({ gain }) => gain.low), middle(({ gain }) => gain.high)]
    const sure = all.filter(({ gain }) => gain.low > 1).length
    const spread = [5, 95].map((p) =>
      percentileOf(
        all.map(({ gain }) => gain.ratio),
        p,
      ).toFixed(3),
    )
    progress(
      `${sessions} sessions, ${middle(({ gain }) => gain.sources)} sources: mean log(1 + points) ${ratio.toFixed(3)} times that at static decoys (95 %: ${least.toFixed(3)} to ${most.toFixed(3)}); of ${campaigns} campaigns ${sure} are sure of more than 1, nine of ten have ${spread.join(' to ')}`,
    )
    progress(`drawn for as ${middle(({ newcomers }) => newcomers).toFixed(2)} newcomers`)
    return [
      row('engagement_gain', ratio, { target: 1.05 }),
      // The ends of the interval that holds the ratio of one campaign 95 times of 100.
      row('engagement_gain_least', least, { target: 1 }),
      row('engagement_gain_most', most),
      row(
        'points_gain',
        middle(({ points }) => points.ratio),
      ),
      row(
        'best_possible_gain',
        middle(({ best }) => best.ratio),
      ),
      { ...row('campaigns_sure', sure / campaigns), unit: 'share', reference: null },
    ]
  },
}

type Gain = { ratio: number; low: number; high: number; sources: number }
type Measured = { gain: Gain; points: Gain; best: Gain; newcomers: number }

function oneCampaign(run: number): Measured {
  const told = campaign(sessions, seededRandom(`bandit/${run}`))
  const random = seededRandom(`still/${run}`)
  const met = told.map(({ engagement }) => engagement)
  const still = told.map(({ taste }) => sessionOf(taste, 'none', random))
  const best = told.map(({ taste }) => {
    const [arm] = Object.entries(taste.likes).sort((a, b) => b[1] - a[1])[0] as ['none', number]
    return sessionOf(taste, arm, random)
  })
  return {
    gain: between(told, met, still),
    points: between(told, met.map(Math.expm1), still.map(Math.expm1)),
    best: between(told, best, still),
    newcomers: told.filter(({ attackers }) => attackers === 'newcomer').length / told.length,
  }
}

/**
 * Ratio of the means over sources, each by the mean of its sessions, here and there: the same sources, so that they are drawn
 * in pairs (bootstrap by cluster; Davison and Hinkley 1997, 3.8), whatever their tastes.
 */
function between(told: readonly Told[], here: readonly number[], there: readonly number[]): Gain {
  const sources = [...Map.groupBy(told.keys(), (i) => told[i]?.source).values()]
  const pairs = sources.map((own) => [here, there].map((values) => meanOf(own.map((i) => values[i] ?? 0))))
  const ratioOf = (some: readonly number[][]) => meanOf(some.map(([a = 0]) => a)) / meanOf(some.map(([, b = 0]) => b))
  const random = seededRandom('pairs')
  const ratios = Array.from({ length: 1000 }, () =>
    ratioOf(pairs.map(() => pairs[Math.floor(random() * pairs.length)] ?? [])),
  )
  const [low, high] = [percentileOf(ratios, 2.5), percentileOf(ratios, 97.5)]
  return { ratio: ratioOf(pairs), low, high, sources: pairs.length }
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

const row = (name: string, value: number, { target = null }: { target?: number | null } = {}): Row => ({
  ...{ name: `bandit.${name}`, value, unit: 'ratio', better: 'higher', target, reference: 1 },
})

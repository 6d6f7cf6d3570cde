import { assign, type Drawn } from '../../controller/adaptation/assign.ts'
import type { Conduct } from '../../controller/adaptation/attacker-class.ts'
import { controllerConfig } from '../../controller/config.ts'
import { type Arm, type Beliefs, learn, relearn } from '../../controller/drift/bandit.ts'
import { pick, pickWeighted, type Random } from '../../shared/random.ts'
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

const words: Record<string, readonly string[]> = {
  script: ['uname -a', 'nproc', 'free -m', 'cat /proc/cpuinfo'],
  curious: ['ls -la /srv', 'cat /etc/hosts', 'w', 'ps aux', 'df -h'],
  prober: ['cat /proc/1/cgroup', 'ls -la /.dockerenv', 'systemd-detect-virt', 'dmesg'],
}

/** What a session of such engagement types: that many lines, in its kind's own time; `atMs` from the session's begin. */
export function linesOf({ name }: Taste, engagement: number, random: Random): { atMs: number; line: string }[] {
  const own = words[name] ?? []
  let atMs = 1000
  return Array.from({ length: Math.max(1, Math.min(150, Math.round(Math.expm1(engagement)))) }, (_, i) => {
    atMs += name === 'script' ? 50 : 1500 + 4500 * random()
    return { atMs, line: own[i % own.length] ?? '' }
  })
}

/** Of the sessions of a campaign: those of a source that was there before; of those, by one whose assignment has ended. */
const backShare = 0.5
const anewShare = 0.5
/** Who comes back is one of the last so many. */
const recent = 50

type Source = {
  name: number
  taste: Taste
  conduct: Conduct
  given?: Drawn
  told: Map<string, { sum: number; n: number }>
}
export type Told = { source: number; taste: Taste; engagement: number } & Drawn

/**
 * So many sessions of sources that come once or again, each given what the product's own lot and bandit draw for the class
 * that its conduct before shows: at first all are newcomers, whatever their taste. Learned from as the loop does, a source
 * one voice.
 */
export function campaign(count: number, random: Random): Told[] {
  const rules = controllerConfig.parse({}).adaptation
  let beliefs: Beliefs = {}
  const sources: Source[] = []

  function comes(): Source {
    if (sources.length > 0 && random() < backShare) return pick(random, sources.slice(-recent))
    const taste = pickWeighted(
      random,
      tastes.map((one) => [one, one.weight] as const),
    )
    const conduct: Conduct = { sessions: 0, tries: 0, terminal: false, commands: [], requests: [] }
    const made: Source = { name: sources.length, taste, conduct, told: new Map() }
    sources.push(made)
    return made
  }

  return Array.from({ length: count }, (_, session) => {
    const source = comes()
    const { taste, conduct, told } = source
    if (!source.given || random() < anewShare)
      source.given = assign({ conduct, service: 'ssh', beliefsOf: () => beliefs }, random, rules)
    const { attackers, arm } = source.given
    const engagement = sessionOf(taste, arm, random)
    const was = told.get(`${attackers} ${arm}`) ?? { sum: 0, n: 0 }
    const is = { sum: was.sum + engagement, n: was.n + 1 }
    told.set(`${attackers} ${arm}`, is)
    beliefs =
      was.n === 0
        ? learn(beliefs, attackers, arm, engagement)
        : relearn(beliefs, attackers, arm, { was: was.sum / was.n, is: is.sum / is.n })
    const lines = linesOf(taste, engagement, random).map((one) => ({ ...one, session: `${session}` }))
    source.conduct = {
      ...{ sessions: conduct.sessions + 1, tries: conduct.tries + 1, terminal: false, requests: [] },
      commands: [...conduct.commands, ...lines],
    }
    return { source: source.name, taste, engagement, ...source.given }
  })
}

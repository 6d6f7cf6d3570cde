import { isMade, rolesFor } from '../../shared/mimicry-kinds.ts'
import { pick, seededRandom } from '../../shared/random.ts'
import type { MimicryPlan, MimicryTarget } from '../../shared/schemas/mimicry.ts'
import { type Measured, scaled } from './context.ts'
import type { Conversation } from './conversation.ts'
import { generate } from './generate.ts'
import type { Pattern } from './patterns.ts'

/** A conversation that is to be had, with whom, as the process in the pod takes it. */
export type Asked = {
  id: number
  at: number
  instance: number
  kind: string
  target: MimicryTarget
  /** Request, response, pause before it in milliseconds. */
  exchanges: [number, number, number][]
}
export type Slice = {
  asked: Asked[]
  /** By instance: conversations that a bound of the plan cut. */
  bounded: number[]
}

const hourMs = 3_600_000

export type SliceOptions = {
  plan: MimicryPlan
  patterns: readonly Pattern[]
  /** How often each instance has drawn parameters anew. */
  draws: readonly number[]
  measured: Measured
}

/**
 * What a decoy does from `from` to `to`: hours of the clock are generated whole, each from the seed and its own number, and
 * cut. So a plan gives the same whenever it is begun, and both bounds hold for the hour. Pure.
 */
export function sliceOf(options: SliceOptions, from: number, to: number): Slice {
  const { plan } = options
  const slice: Slice = { asked: [], bounded: new Array(plan.instantiations).fill(0) }
  for (let hour = Math.floor(from / hourMs); hour * hourMs < to; hour++) {
    const asked = hourOf(options, hour)
    const within = withinBounds(asked, plan, hour)
    for (const one of asked) {
      if (one.at < from || one.at >= to) continue
      if (within.has(one)) slice.asked.push(one)
      else slice.bounded[one.instance] = (slice.bounded[one.instance] as number) + 1
    }
  }
  return slice
}

/** Where there are too many, those that stay are drawn from all of the hour: nobody is silent from half past on. */
function withinBounds(asked: readonly Asked[], plan: MimicryPlan, hour: number): Set<Asked> {
  const random = seededRandom(`${plan.seed}/${hour}/bounds`)
  const made = new Array<number>(plan.instantiations).fill(0)
  const within = new Set<Asked>()
  let bytes = 0
  for (const { one } of asked.map((one) => ({ one, rank: random() })).sort((a, b) => a.rank - b.rank)) {
    const size = one.exchanges.reduce((sum, [request, response]) => sum + request + response, 0)
    const before = made[one.instance] as number
    if (before >= plan.mostAnHour || bytes + size > plan.mostBytesAnHour) continue
    made[one.instance] = before + 1
    bytes += size
    within.add(one)
  }
  return within
}

function hourOf({ plan, patterns, draws, measured }: SliceOptions, hour: number): Asked[] {
  const placed = patterns.filter(({ kind }) => targetsFor(kind, plan.targets).length > 0)
  const asked: Asked[] = []
  for (let instance = 0; instance < plan.instantiations; instance++) {
    const seed = `${plan.seed}/${instance}/${draws[instance] ?? 0}`
    const [own = []] = generate(
      // What a host does is shared among the instances.
      placed.map((pattern) => ({ ...pattern, hosts: (pattern.hosts ?? 1) * plan.instantiations })),
      {
        seed,
        level: plan.mimicryLevel,
        instantiations: 1,
        parameterVariation: plan.parameterVariation,
        mostAnHour: Number.POSITIVE_INFINITY,
        slice: String(hour),
      },
      hour * hourMs,
      (hour + 1) * hourMs,
    )
    const random = seededRandom(`${seed}/${hour}/targets`)
    for (const one of own) {
      const target = pick(random, targetsFor(one.kind, plan.targets))
      asked.push(askedOf(one, instance, target, measured))
    }
  }
  // What was asked before parameters were drawn anew has other numbers.
  const anew = draws.reduce((sum, one) => sum + one, 0) % 1000
  const first = (anew * 10_000 + (hour % 10_000)) * 100_000
  return asked.sort((a, b) => a.at - b.at).map((one, i) => ({ ...one, id: first + i }))
}

function askedOf(one: Conversation, instance: number, target: MimicryTarget, measured: Measured): Asked {
  const exchanges = scaled(one, measured.get(`${target.ip}:${target.port}`)).map(
    ({ request, response, pauseMs }): [number, number, number] => [
      request,
      response,
      Math.round(pauseMs * 1000) / 1000,
    ],
  )
  return { id: 0, at: Math.round(one.at), instance, kind: one.kind, target, exchanges }
}

/** Where a kind may go: the topology of the plan. None: it is left out. */
export function targetsFor(kind: string, targets: readonly MimicryTarget[]): MimicryTarget[] {
  if (!isMade(kind)) return []
  for (const role of rolesFor(kind)) {
    const own = targets.filter((target) => target.role === role)
    if (own.length > 0) return own
  }
  return []
}

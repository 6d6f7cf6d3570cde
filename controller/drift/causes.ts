import type { FeatureName } from '../../shared/schemas/baseline.ts'
import type { Finding } from './compare.ts'

/** What moved at one decoy or mimicry instance in a window, and where it stands. */
export type Instance = { id: string; appliance: string; segment: string; findings: readonly Finding[] }
/** The appliance in the same window, 0 to 1: how busy its processors were, how full its memory; whether it was throttled. */
export type Load = { cpu: number; memory: number; throttled: boolean }
export type Cause = {
  kind: 'network' | 'shortage' | 'interference'
  /** Instances that it explains. */
  instances: string[]
  because: string
}

/** What trouble on the way or on the machine moves: times, and what comes again. What somebody does moves anything. */
const timing: ReadonlySet<FeatureName> = new Set<FeatureName>([
  'response.delay',
  'connect.delay',
  'handshake.delay',
  'path.delay',
  'repeat.share',
  'interarrival',
  'request.rate',
  'session.rate',
])
/** Of the way to one visitor alone it says nothing that somebody is at an instance. */
const way: ReadonlySet<FeatureName> = new Set<FeatureName>(['path.delay', 'repeat.share'])
/** Of the instances at a place, so many must move alike before the place is blamed; below three there is no telling. */
const most = 2 / 3
const leastInstances = 3
const busy: Load = { cpu: 0.9, memory: 0.95, throttled: true }

/**
 * At the beginning of such trouble one instance is sure before the others are. Who leans the same way is alike: the same
 * feature, unlikely enough, by at least half as much.
 */
const leaning = { p: 0.01, part: 0.5 }

const isShort = ({ cpu, memory, throttled }: Load): boolean => cpu >= busy.cpu || memory >= busy.memory || throttled
const movedTimes = ({ findings }: Instance): boolean =>
  findings.some(({ significant, feature }) => significant && timing.has(feature))
const leans = ({ findings }: Instance, others: readonly Instance[]): boolean => {
  const sure = others.flatMap((other) =>
    other.findings.filter(({ significant, feature }) => significant && timing.has(feature)),
  )
  return findings.some(
    ({ feature, p, effect }) =>
      p < leaning.p && sure.some((one) => one.feature === feature && effect >= leaning.part * one.effect),
  )
}
/** Those that are slower, and those that lean that way, if anything else moved at none of them. */
const slowerOf = (here: readonly Instance[]): Instance[] => {
  const sure = here.filter((one) => movedTimes(one) && !movedMore(one))
  return here.filter((one) => !movedMore(one) && (sure.includes(one) || leans(one, sure)))
}
const movedMore = ({ findings }: Instance): Finding | undefined =>
  findings.find(({ significant, feature }) => significant && !timing.has(feature))

/**
 * Why instances moved: the appliance was short of something and most of its instances are slower; or most of a segment's
 * are, and the appliance was not; or one moved by itself, which somebody did. Pure.
 */
export function causesOf(instances: readonly Instance[], loads: ReadonlyMap<string, Load>): Cause[] {
  const causes: Cause[] = []
  const explained = new Set<string>()
  const blame = (kind: Cause['kind'], alike: readonly Instance[], because: string) => {
    causes.push({ kind, instances: alike.map(({ id }) => id), because })
    for (const { id } of alike) explained.add(id)
  }
  for (const [appliance, here] of groups(instances, ({ appliance }) => appliance)) {
    const load = loads.get(appliance)
    const alike = slowerOf(here)
    if (load && isShort(load) && alike.length >= Math.min(here.length, 2) && alike.length >= most * here.length)
      blame('shortage', alike, `${alike.length} of ${here.length} instances are slower while ${wordsOf(load)}`)
  }
  for (const [, here] of groups(instances, ({ segment }) => segment)) {
    const open = here.filter(({ id }) => !explained.has(id))
    const alike = slowerOf(open)
    if (alike.length >= leastInstances && alike.length >= most * open.length)
      blame(
        'network',
        alike,
        `${alike.length} of ${open.length} instances of the segment moved together, the appliance has room`,
      )
  }
  for (const one of instances) {
    const first = one.findings.find(({ significant, feature }) => significant && !way.has(feature))
    if (!explained.has(one.id) && first)
      blame('interference', [one], `it alone moved, in ${(movedMore(one) ?? first).feature}`)
  }
  return causes
}

function groups<T>(all: readonly T[], of: (one: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>()
  for (const one of all) found.set(of(one), [...(found.get(of(one)) ?? []), one])
  return found
}

const wordsOf = ({ cpu, memory, throttled }: Load): string =>
  [
    ...(cpu >= busy.cpu ? [`the processors are ${Math.round(100 * cpu)} % busy`] : []),
    ...(memory >= busy.memory ? [`${Math.round(100 * memory)} % of the memory is used`] : []),
    ...(throttled ? ['the machine throttles itself'] : []),
  ].join(' and ')

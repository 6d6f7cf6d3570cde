import type { FeatureName } from '../../shared/schemas/baseline.ts'
import type { Finding } from './compare.ts'
import { besides, type Span, type Track, type Trouble, troubleOf } from './slowness.ts'

/** What moved at one decoy or mimicry instance in the time that is looked at, and where it stands. */
export type Instance = {
  id: string
  decoy: string
  kind: 'decoy' | 'mimicry'
  appliance: string
  segment: string
  findings: readonly Finding[]
  /** How slow it was, moment by moment. */
  tracks: readonly Track[]
}
/** An appliance in some time, 0 to 1: how busy its processors were, how full its memory; whether it was throttled. */
export type Load = { cpu: number; memory: number; throttled: boolean }
/** The load of an appliance in these spans, or in all the time that is looked at; undefined where nothing is known. */
export type LoadIn = (appliance: string, spans?: readonly (Span & { weight: number })[]) => Load | undefined
export type Cause = {
  kind: 'network' | 'shortage' | 'interference' | 'unclear'
  /** Instances that it explains. */
  instances: string[]
  because: string
  /** When it began, milliseconds since 1970, where that can be told. */
  since?: number
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
/** Of the way to one visitor alone it says nothing that somebody is at a decoy. */
const way: ReadonlySet<FeatureName> = new Set<FeatureName>(['path.delay', 'repeat.share'])
/** Of the decoys that can be judged, so many must move alike before the place is blamed, and so few before somebody is. */
const nearlyAll = 2 / 3
const few = 1 / 3
/** Below three decoys there is no telling whether all move or one. */
const leastJudged = 3
const busy: Load = { cpu: 0.9, memory: 0.95, throttled: true }
const leaning = { p: 0.01, part: 0.5 }

const isShort = ({ cpu, memory, throttled }: Load): boolean => cpu >= busy.cpu || memory >= busy.memory || throttled

/** A decoy with its mimicry: one witness. */
type Decoy = { id: string; appliance: string; segment: string; instances: Instance[] }
type Move = { kind: Instance['kind']; feature: FeatureName; effect: number; trouble?: Trouble }
type Vote = { alike: Decoy[]; judged: number }

/**
 * Why decoys moved. Each that did asks the others how they were in the same feature at the same time: they moved alike, stayed,
 * or cannot tell, since nobody came to them then. Pure.
 *
 *   it moved in what no trouble moves, the others not     -> interference
 *   nearly all of its appliance slower, and that is short -> shortage
 *   nearly all of three or more of its segment slower     -> network
 *   it alone of three or more, also of a machine in need  -> interference
 *   anything else                                         -> unclear: nobody is blamed
 */
export function causesOf(instances: readonly Instance[], loadIn: LoadIn): Cause[] {
  const decoys = [...Map.groupBy(instances, ({ decoy }) => decoy)].map(([id, own]): Decoy => {
    const [{ appliance, segment }] = own as [Instance]
    return { id, appliance, segment, instances: own }
  })
  const found = new Map(decoys.flatMap((one) => causeOf(one, decoys, loadIn) ?? []).map((one) => [one.decoy, one]))
  // One is sure before the others are: who moves along is explained by the same place. What somebody did stays his.
  const blamed = [...found.values()].filter(({ cause }) => places.includes(cause.kind))
  return decoys.flatMap((decoy): Cause[] => {
    const own = found.get(decoy)
    const said = [...(own ? [own] : []), ...blamed.filter(({ alike }) => alike.includes(decoy))]
    const [first] = said.sort((a, b) => places.indexOf(b.cause.kind) - places.indexOf(a.cause.kind))
    const one = own?.cause.kind === 'interference' ? own : first
    return one ? [{ ...one.cause, instances: idsOf(decoy) }] : []
  })
}
/** What a decoy shares with others, the surer one last. */
const places: readonly Cause['kind'][] = ['network', 'shortage']

const idsOf = ({ instances }: Decoy): string[] => {
  const moved = instances.filter(({ findings }) => findings.some(({ significant }) => significant))
  return (moved.length > 0 ? moved : instances.filter(({ kind }) => kind === 'decoy')).map(({ id }) => id)
}

type Found = { decoy: Decoy; cause: Omit<Cause, 'instances'>; alike: Decoy[] }

function causeOf(decoy: Decoy, decoys: readonly Decoy[], loadIn: LoadIn): Found | undefined {
  const moves = movesOf(decoy)
  if (moves.length === 0) return undefined
  const others = decoys.filter((one) => one !== decoy)
  const near = others.filter(({ segment }) => segment === decoy.segment)
  const spans = moves.flatMap(({ trouble }) => trouble?.spans ?? [])
  const began = moves.flatMap(({ trouble }) => trouble?.since ?? [])
  const load = loadIn(decoy.appliance, spans.length > 0 ? spans : undefined)
  const short = load && isShort(load) ? wordsOf(load) : undefined
  const as = (kind: Cause['kind'], because: string, alike: Decoy[] = []): Found => ({
    decoy,
    cause: { kind, because, ...(began.length > 0 && { since: Math.min(...began) }) },
    alike,
  })

  // A machine that is short of something refuses, too.
  const isTime = ({ feature }: Move) => timing.has(feature) || (short !== undefined && feature === 'error.share')
  const times = moves.filter(isTime)
  for (const move of moves.filter((one) => !isTime(one))) {
    const { alike, judged } = voteOf([move], near)
    if (alike.length === 0 || alike.length + 1 < nearlyAll * judged)
      return as('interference', `it alone moved in ${move.feature}, which neither a network nor a busy machine moves`)
    if (times.length === 0)
      return as('unclear', `${alike.length + 1} of ${judged} decoys of the segment moved together in ${move.feature}`)
  }

  const here = voteOf(
    times,
    others.filter(({ appliance }) => appliance === decoy.appliance),
  )
  if (short && here.alike.length + 1 >= nearlyAll * here.judged)
    return as('shortage', `${ofThem(here)} that can be judged are slower while ${short}`, here.alike)
  const beside = voteOf(times, near)
  const slower = beside.alike.length + 1
  const room = short ? `while ${short}` : load ? 'the appliance has room' : 'how busy the appliance was is not known'
  if (slower >= leastJudged && slower >= nearlyAll * beside.judged)
    return as('network', `${ofThem(beside)} of the segment that can be judged moved together, ${room}`, beside.alike)
  const own = times.find(({ feature }) => !way.has(feature))
  if (!own) return undefined
  const unsure = [beside, ...(short ? [here] : [])].find((vote) => !isOfOne(vote))
  if (unsure) return as('unclear', undecided(unsure, room))
  return as('interference', `it alone of ${beside.judged} that can be judged moved, in ${own.feature}, ${room}`)
}

/** Also of a machine that is short, which the others on it would feel. */
const isOfOne = ({ alike, judged }: Vote): boolean => judged >= leastJudged && alike.length + 1 <= few * judged
const ofThem = ({ alike, judged }: Vote): string => `${alike.length + 1} of ${judged} decoys`
const undecided = (vote: Vote, room: string): string =>
  vote.judged < leastJudged
    ? `${ofThem(vote)} moved, and too few others were asked at that time to tell its network from somebody; ${room}`
    : `${ofThem(vote)} that can be judged moved: too many for one, too few for all; ${room}`

/** What moved at a decoy; with the time in which it was slower, where it was. */
function movesOf({ instances }: Decoy): Move[] {
  return instances.flatMap(({ kind, findings, tracks }) =>
    findings
      .filter(({ significant }) => significant)
      .map(({ feature, effect }) => {
        const [trouble] = tracks
          .filter((track) => track.feature === feature)
          .flatMap((track) => troubleOf(track) ?? [])
          .sort((a, b) => b.lift - a.lift)
        return { kind, feature, effect, ...(trouble && { trouble }) }
      }),
  )
}

/** How many of the others moved alike in any of it, of those that can be judged in it; who moved is counted among these. */
function voteOf(moves: readonly Move[], others: readonly Decoy[]): Vote {
  const said = others.map((one) => {
    const words = moves.map((move) => saidOf(move, one))
    return { one, word: words.find((word) => word === 'alike') ?? words.find((word) => word !== undefined) }
  })
  return {
    alike: said.filter(({ word }) => word === 'alike').map(({ one }) => one),
    judged: 1 + said.filter(({ word }) => word !== undefined).length,
  }
}

function saidOf(move: Move, { instances }: Decoy): 'alike' | 'stays' | undefined {
  const own = instances.filter(({ kind }) => kind === move.kind)
  if (move.trouble)
    return besides(
      move.trouble,
      own.flatMap(({ tracks }) => tracks),
    )
  const same = own.flatMap(({ findings }) => findings).filter(({ feature }) => feature === move.feature)
  const isNear = ({ effect }: Finding) => effect >= leaning.part * move.effect
  if (same.some((one) => isNear(one) && (one.significant || one.p < leaning.p))) return 'alike'
  return same.length > 0 && !same.some(isNear) ? 'stays' : undefined
}

const wordsOf = ({ cpu, memory, throttled }: Load): string =>
  [
    ...(cpu >= busy.cpu ? [`the processors were ${Math.round(100 * cpu)} % busy`] : []),
    ...(memory >= busy.memory ? [`${Math.round(100 * memory)} % of the memory was used`] : []),
    ...(throttled ? ['the machine throttled itself'] : []),
  ].join(' and ')

import type { UpdatePhase } from '../../shared/schemas/update.ts'
import { gateMs, lostMs, mayBreak, type RolloutPolicy, unwellMs, waitMs } from './policy.ts'

/**
 * What is to be done next for a rollout, from what is known; pure.
 *
 *   ring opens -> fetch -> fetched -> install, few at a time -> confirmed -> all of them well for the gate's time -> next ring
 *                   '-- not there, or slow: late; the ring goes on, the box later     '-- the next ring fetches meanwhile
 *   more broken than may be -> pause: who has only fetched is taken back
 *
 * Invariants: a ring opens only when the one before passed its gate; of a ring, no more boxes are broken or at risk than may
 * break, and one (or `atOnce`). All times are of the rollout's own clock, which stands while it is paused or the controller
 * is down: nobody saw then whether boxes were well.
 */
export type Order = 'none' | 'fetch' | 'install'
export type Box = {
  agent: string
  ring: number
  ordered: Order
  orderedMs?: number | undefined
  phase?: UpdatePhase | undefined
  online: boolean
  /** Why it is not as well as before it was told to install; empty: it is. */
  troubles: readonly string[]
  unwellMs?: number | undefined
  late: boolean
}
export type Progress = {
  /** The ring that is open; -1 before the first. */
  ring: number
  /** When it was opened, and since when all of it is confirmed and well. */
  ringMs: number
  gateMs?: number | undefined
  watchedMs: number
  policy: RolloutPolicy
}
export type Step =
  | { do: 'open'; ring: number }
  | { do: 'order'; agent: string; order: Order }
  | { do: 'late'; agent: string }
  | { do: 'unwell'; agent: string; since: number | undefined }
  | { do: 'gate'; since: number | undefined }
  | { do: 'pause'; why: string }
  | { do: 'finish' }

export type Standing = 'waiting' | 'at-risk' | 'confirmed' | 'unwell' | 'broken'

const failures: ReadonlySet<UpdatePhase> = new Set(['rolled-back', 'refused', 'failed'])
const atWork: ReadonlySet<UpdatePhase> = new Set(['installing', 'trial'])
const begun: ReadonlySet<UpdatePhase> = new Set([...atWork, 'confirmed', ...failures])

export function standingOf(box: Box, { policy, watchedMs, ring }: Progress): Standing {
  if (box.phase && failures.has(box.phase)) return 'broken'
  if (box.phase === 'confirmed') {
    if (box.ring !== ring || box.troubles.length === 0) return 'confirmed'
    return box.unwellMs !== undefined && watchedMs - box.unwellMs >= unwellMs(policy) ? 'broken' : 'unwell'
  }
  if (box.ordered !== 'install' && !(box.phase && atWork.has(box.phase))) return 'waiting'
  return watchedMs - (box.orderedMs ?? watchedMs) >= lostMs(policy) ? 'broken' : 'at-risk'
}

export function plan(progress: Progress, boxes: readonly Box[]): Step[] {
  const { policy, ring, watchedMs } = progress
  if (ring < 0) return [{ do: 'open', ring: 0 }]
  const byRing = Map.groupBy(boxes, (box) => box.ring)
  const counts = policy.rings.map((_, i) => countsOf(byRing.get(i) ?? [], progress))
  const why = tooBroken(progress, counts)
  if (why !== undefined) return [...takeBack(boxes), { do: 'pause', why }]

  const here = byRing.get(ring) ?? []
  const steps: Step[] = [...lateness(here, progress), ...health(here, progress)]
  for (let i = 0; i <= ring; i++) steps.push(...orders(byRing.get(i) ?? [], counts[i] ?? none, policy))
  const now = counts[ring] ?? none
  if (here.length > 0 && now.confirmed === 0 && now.open === 0 && steps.length === 0)
    return [...takeBack(boxes), { do: 'pause', why: `of ring ${nameOf(policy, ring)} no box could be reached` }]
  if (!passes(here, progress))
    return progress.gateMs === undefined ? steps : [...steps, { do: 'gate', since: undefined }]
  if (progress.gateMs === undefined && here.length > 0) return [...steps, { do: 'gate', since: watchedMs }]
  // Who is away for a moment does not begin the gate anew; when it ends, no more may be than may break.
  const over = here.length === 0 || watchedMs - (progress.gateMs ?? watchedMs) >= gateMs(policy)
  if (over && now.unwell + now.broken <= mayBreak(policy, now.size))
    return [...steps, ring + 1 < policy.rings.length ? { do: 'open', ring: ring + 1 } : { do: 'finish' }]
  for (const { agent, ordered, phase } of byRing.get(ring + 1) ?? [])
    if (ordered === 'none' && !phase) steps.push({ do: 'order', agent, order: 'fetch' })
  return steps
}

/** Who has only fetched, or not even that: a box that began ends by itself, well or not. */
export const takeBack = (boxes: readonly Box[]): Step[] =>
  boxes
    .filter(({ ordered, phase }) => ordered !== 'none' && !(phase && begun.has(phase)))
    .map(({ agent }) => ({ do: 'order', agent, order: 'none' }))

type Counts = { size: number; confirmed: number; unwell: number; broken: number; atRisk: number; open: number }
const none: Counts = { size: 0, confirmed: 0, unwell: 0, broken: 0, atRisk: 0, open: 0 }

export function countsOf(boxes: readonly Box[], progress: Progress): Counts {
  const all = boxes.map((box) => ({ box, standing: standingOf(box, progress) }))
  const count = (...of: Standing[]) => all.filter(({ standing }) => of.includes(standing)).length
  return {
    size: boxes.length,
    confirmed: count('confirmed', 'unwell'),
    unwell: count('unwell'),
    broken: count('broken'),
    atRisk: count('at-risk'),
    open: all.filter(({ box, standing }) => standing === 'at-risk' || (standing === 'waiting' && !box.late)).length,
  }
}

function tooBroken({ policy, ring }: Progress, counts: readonly Counts[]): string | undefined {
  for (const [i, { size, broken }] of counts.slice(0, ring + 1).entries())
    if (broken > mayBreak(policy, size))
      return `${broken} of ${size} boxes of ring ${nameOf(policy, i)} broke, more than ${mayBreak(policy, size)}`
  return undefined
}

function lateness(here: readonly Box[], { policy, ringMs, watchedMs }: Progress): Step[] {
  if (watchedMs - ringMs < waitMs(policy)) return []
  return here
    .filter(({ late, ordered, phase, online }) => !late && ordered !== 'install' && !(online && phase === 'fetched'))
    .filter(({ phase }) => !(phase && begun.has(phase)))
    .map(({ agent }) => ({ do: 'late', agent }))
}

/** Since when boxes that confirmed are not well; looked at until the ring's gate. */
function health(here: readonly Box[], { watchedMs }: Progress): Step[] {
  return here.flatMap(({ agent, phase, troubles, unwellMs: since }): Step[] => {
    const unwell = phase === 'confirmed' && troubles.length > 0
    if (unwell === (since !== undefined)) return []
    return [{ do: 'unwell', agent, since: unwell ? watchedMs : undefined }]
  })
}

/** Everybody fetches; who has fetched and is there installs, as far as the ring can bear it. */
function orders(boxes: readonly Box[], { size, broken, atRisk }: Counts, policy: RolloutPolicy): Step[] {
  let room = policy.atOnce === undefined ? mayBreak(policy, size) + 1 - broken - atRisk : policy.atOnce - atRisk
  return boxes.flatMap(({ agent, ordered, phase, online }): Step[] => {
    if (ordered === 'none' && !(phase && begun.has(phase))) return [{ do: 'order', agent, order: 'fetch' }]
    if (ordered !== 'fetch' || phase !== 'fetched' || !online || room <= 0) return []
    room--
    return [{ do: 'order', agent, order: 'install' }]
  })
}

const confirmed: ReadonlySet<Standing> = new Set(['confirmed', 'unwell'])

/** Whether enough of the ring confirmed, well or not. Late boxes are not waited for, whatever becomes of them. */
function passes(here: readonly Box[], progress: Progress): boolean {
  const all = here.map((box) => ({ late: box.late, standing: standingOf(box, progress) }))
  const awaited = all.filter(({ late, standing }) => !late && standing !== 'broken')
  const good = awaited.filter(({ standing }) => confirmed.has(standing)).length
  const any = all.some(({ standing }) => confirmed.has(standing))
  return (any || here.length === 0) && good >= Math.ceil((progress.policy.enough / 100) * awaited.length)
}

const nameOf = ({ rings }: RolloutPolicy, i: number): string => rings[i]?.name ?? String(i)

import { type Box, type Progress, plan, type Step } from '../../../controller/updates/plan.ts'
import { type RolloutPolicy, rolloutPolicy } from '../../../controller/updates/policy.ts'
import { drawRings } from '../../../controller/updates/rings.ts'
import type { Random } from '../../../shared/random.ts'

export const minute = 60_000
export type Fate = {
  /** Minutes to fetch, to install, and the outcome. */
  fetch: number
  install: number
  outcome: 'confirmed' | 'rolled-back' | 'refused' | 'failed' | 'dead'
  /** Part of the time that it is away. */
  away: number
}
type Simulated = { box: Box; fate: Fate; leftMinutes: number }
export type Happened = { minute: number; step: Step }

export const policyOf = (some: Partial<RolloutPolicy> & Pick<RolloutPolicy, 'rings'>): RolloutPolicy =>
  rolloutPolicy.parse(some)
export const ring = (name: string, percent: number) => ({ name, percent, agents: [], tags: [] })

/**
 * A fleet that does as it is told, each box by its fate, and a rollout over it by the real planner. A tick is a minute.
 * Boxes are simulated; that they tell what the contract says is all they share with real ones.
 */
export function simulate(policy: RolloutPolicy, fates: readonly Fate[], random: Random, rollout = 'rollout') {
  const agents = fates.map((_, i) => ({ id: `box-${i}`, tags: [] }))
  const rings = drawRings(rollout, policy.rings, agents)
  const fleet = agents.flatMap(({ id }, i): Simulated[] => {
    const inRing = rings.get(id)
    if (inRing === undefined) return []
    const box = { agent: id, ring: inRing, ordered: 'none', online: true, troubles: [], late: false } as const
    return [{ box, fate: fates[i] as Fate, leftMinutes: 0 }]
  })
  const boxes = new Map(fleet.map((one) => [one.box.agent, one.box as Box]))
  const progress: Progress = { ring: -1, ringMs: 0, watchedMs: 0, policy }
  const happened: Happened[] = []
  let status: 'running' | 'paused' | 'done' = 'running'

  function apply(step: Step): void {
    happened.push({ minute: progress.watchedMs / minute, step })
    const box = 'agent' in step ? (boxes.get(step.agent) as Box) : undefined
    if (step.do === 'open') Object.assign(progress, { ring: step.ring, ringMs: progress.watchedMs, gateMs: undefined })
    if (step.do === 'gate') progress.gateMs = step.since
    if (step.do === 'pause') status = 'paused'
    if (step.do === 'finish') status = 'done'
    if (step.do === 'late' && box) box.late = true
    if (step.do === 'unwell' && box) box.unwellMs = step.since
    if (step.do === 'order' && box) {
      box.ordered = step.order
      if (step.order === 'install') box.orderedMs = progress.watchedMs
    }
  }

  function live(one: Simulated): void {
    const { box, fate } = one
    if (box.phase === 'installing' && fate.outcome === 'dead') {
      box.online = false
      return
    }
    box.online = random() >= fate.away
    box.troubles = box.phase === 'confirmed' && !box.online ? ['it is not connected'] : []
    if (!box.online) return
    if (box.ordered !== 'none' && box.phase === undefined) Object.assign(box, { phase: 'fetching' })
    if (box.phase === 'fetching' && box.ordered !== 'none' && one.leftMinutes++ >= fate.fetch)
      box.phase = fate.outcome === 'refused' ? 'refused' : 'fetched'
    if (box.phase === 'fetched' && box.ordered === 'install') {
      box.phase = 'installing'
      one.leftMinutes = 0
    } else if (box.phase === 'installing' && one.leftMinutes++ >= fate.install && fate.outcome !== 'dead')
      box.phase = fate.outcome
  }

  /** Plans until nothing is to be done, as the conductor does; throws where that does not end. */
  function look(): void {
    for (let i = 0; status === 'running'; i++) {
      const steps = plan(progress, [...boxes.values()])
      if (steps.length === 0) return
      if (i > 20) throw new Error(`no end: ${JSON.stringify(steps.slice(0, 3))}`)
      for (const step of steps) apply(step)
    }
  }

  return {
    boxes,
    progress,
    happened,
    rings,
    status: () => status,
    /** `restart`: the planner begins from what is written down alone, which is all that there is. */
    tick() {
      look()
      for (const one of fleet) live(one)
      progress.watchedMs += minute
    },
  }
}

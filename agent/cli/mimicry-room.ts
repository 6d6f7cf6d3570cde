import { join } from 'node:path'
import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import type { Engine } from '../engine/port.ts'
import type { Report } from '../spool/index.ts'

export type MimicryRoomDeps = {
  engine: () => Promise<Engine>
  report: Report
  clock: Clock
  log: Log
  stateDir: string
  heldPlan: () => Plan | undefined
  /** Decoys that run and are not being worked on. */
  standing: () => readonly { decoy: string }[]
}

/** Traffic of the decoys of the plan in force, in the shape that this agent saw or the plan tells. */
export async function makeMimicryRoom(deps: MimicryRoomDeps) {
  const { clock, log, report, heldPlan } = deps
  const [{ agentOf, makeMimicry, makeSeenPatterns }, { podName }] = await Promise.all([
    import('../mimicry/index.ts'),
    import('../decoys/index.ts'),
  ])
  const seen = makeSeenPatterns({ folder: join(deps.stateDir, 'mimicry'), report, clock, log })
  const mimicry = makeMimicry({
    engine: await deps.engine(),
    report,
    clock,
    log,
    seen: seen.of,
    recall: seen.open,
    subjects: () => {
      const plan = heldPlan()
      const atRest = new Set(deps.standing().map(({ decoy }) => decoy))
      return (plan?.decoys ?? []).flatMap(({ id, cidr, persona, mimicry }) => {
        if (!mimicry) return []
        const os = plan?.personas.find((one) => one.id === persona)?.os
        return [{ decoy: id, pod: podName(id), cidr, plan: mimicry, agent: agentOf(os), atRest: atRest.has(id) }]
      })
    },
  })
  return {
    ...mimicry,
    seen,
    applyPlan(plan: Plan): void {
      seen
        .forget(plan.observe?.forget ?? [])
        .catch((error) => log.error({ why: wordsOf(error) }, 'what was seen of a segment cannot be forgotten'))
      mimicry.wake()
    },
  }
}

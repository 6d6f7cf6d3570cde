import type { Arm } from '../drift/bandit.ts'

/** Within what the loop may change a decoy by itself. */
export type Rails = {
  /** Types of drift that it may choose. */
  types: readonly string[]
  strongest: 'low' | 'medium' | 'high'
  /** Views that one decoy gets in an hour, and at a time. */
  changesPerHour: number
  viewsPerDecoy: number
  /** Between two changes of one attacker's view, and of one decoy's persona. */
  cooldownMinutes: number
  personaCooldownMinutes: number
}

/** What a wish for a change is judged by; times in milliseconds since 1970. */
export type Wish = {
  kind: 'view' | 'move' | 'persona'
  nowMs: number
  /** Changes that the loop made at this decoy in the hour before. */
  madeInLastHour: number
  views: number
  /** Of this attacker's view, or of the decoy's persona: the last that was made. */
  lastMs?: number
  /** Whether an administrator set drift for everyone at this decoy or for this attacker. */
  byHand: boolean
}
export type Verdict = { ok: true } | { ok: false; why: string }

const refused = (why: string): Verdict => ({ ok: false, why })

/** Whether a change may be made now. Pure. What an administrator set is never touched. */
export function judge(wish: Wish, rails: Rails): Verdict {
  if (wish.kind !== 'persona' && wish.byHand) return refused('an administrator set the drift, which stands')
  const minutes = wish.kind === 'persona' ? rails.personaCooldownMinutes : rails.cooldownMinutes
  if (wish.kind !== 'view' && wish.lastMs !== undefined && wish.nowMs - wish.lastMs < minutes * 60_000)
    return refused(`the last change was less than ${minutes} minutes ago`)
  if (wish.kind === 'view' && wish.views >= rails.viewsPerDecoy)
    return refused(`the decoy has ${wish.views} views, the most allowed is ${rails.viewsPerDecoy}`)
  if (wish.madeInLastHour >= rails.changesPerHour)
    return refused(`the decoy was changed ${wish.madeInLastHour} times in the last hour, the most allowed`)
  return { ok: true }
}

const steps = ['low', 'medium', 'high'] as const

/** Of these arms, those that the rails leave; `none` always. */
export const armsWithin = (arms: readonly Arm[], { types, strongest }: Pick<Rails, 'types' | 'strongest'>): Arm[] =>
  arms.filter((arm) => {
    const [type = '', step = 'low'] = arm.split('.')
    return arm === 'none' || (types.includes(type) && steps.indexOf(step as 'low') <= steps.indexOf(strongest))
  })

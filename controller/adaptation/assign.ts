import type { Random } from '../../shared/random.ts'
import { type Arm, type Beliefs, chooseArm, defaultRules } from '../drift/bandit.ts'
import { type AttackerClass, type Conduct, classOf } from './attacker-class.ts'
import { armsFelt } from './felt.ts'
import { armsWithin, type Rails } from './rails.ts'

export type Group = 'control' | 'adaptive'
export type Drawn = { attackers: AttackerClass; group: Group; arm: Arm; because: string }

type Rules = Pick<Rails, 'types' | 'strongest'> & { controlShare: number }
type Known = {
  conduct: Conduct
  /** Service at which the source begins: what cannot be felt there is not chosen. */
  service: string
  beliefsOf: (attackers: AttackerClass) => Beliefs
}

/**
 * What a source is given for the time to come: the control group is drawn first and by chance alone, so that what drift
 * does can be told from what attackers do; for the others the bandit draws. Pure but for `random`.
 */
export function assign(known: Known, random: Random, rules: Rules): Drawn {
  const attackers = classOf(known.conduct)
  if (random() < rules.controlShare)
    return { attackers, group: 'control', arm: 'none', because: `control group of ${attackers}: no drift, by lot` }
  const beliefs = known.beliefsOf(attackers)
  const arms = armsFelt(armsWithin(defaultRules.arms, rules), known.service)
  const arm = chooseArm(beliefs, attackers, random, { ...defaultRules, arms, control: 0 })
  const belief = beliefs[attackers]?.[arm]
  const basis = belief
    ? `engagement of ${belief.mean.toFixed(2)} of ${belief.n} sources so far`
    : 'nothing is known of it yet'
  return { attackers, group: 'adaptive', arm, because: `drawn for ${attackers} among ${arms.length}: ${basis}` }
}

export { type Behaviour, type BehaviourKind, behaviourKinds } from './behaviour.ts'
export { type Classify, makeClassifier, shippedRules } from './classify-command.ts'
export { evidenceTime } from './evidence-time.ts'
export { makeHistoryRetention } from './history-retention.ts'
export { makeAttackerProjector, noteBehaviour, noteFound } from './projector.ts'
export {
  type BehaviourRow,
  behavioursAt,
  type FoundBehaviour,
  factsOfSource,
  findSource,
  pruneBehaviours,
  type Source,
  techniquesOf,
} from './queries.ts'
export { attackerTables } from './tables.ts'

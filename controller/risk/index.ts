export { riskAged } from './aged.ts'
export { type EvidenceRule, shippedEvidence } from './evidence.ts'
export {
  addException,
  coveredBy,
  findException,
  isWhollyExempt,
  type RiskException,
  readExceptions,
  removeException,
} from './exceptions.ts'
export { makeRiskJudge, type RiskJudge } from './judge.ts'
export { makeRiskProjector } from './projector.ts'
export {
  type CrossingRow,
  type CrossingTaker,
  crossingsAfter,
  loadEvidence,
  scoresNow,
  takeCrossings,
} from './queries.ts'
export { type Evidence, type Reason, type Score, scoreOf } from './score.ts'
export { riskTables } from './tables.ts'
export { hysteresis, type ThresholdName, thresholdNames } from './thresholds.ts'

export { driftSettingsAged } from './aged.ts'
export { type Arm, type Beliefs, chooseArm, engagementOf, learn } from './bandit.ts'
export { type Cause, causesOf, type Instance, type Load, type LoadIn } from './causes.ts'
export { type Comparison, compare, type Finding, judged, type Moved, movesOf, scoreOfEffect } from './compare.ts'
export { type Effect, effectOf } from './effect.ts'
export { expectedProfile } from './expected.ts'
export { makeDriftExpiry } from './expiry.ts'
export { composed, generateDrift } from './generate.ts'
export { plainScore } from './plain.ts'
export { driftAt, effectAt, expectedAt, type Reach, reachOf, waitingAt } from './reach.ts'
export {
  clearDrift,
  type DriftChange,
  type DriftSetting,
  type DriftWish,
  driftOf,
  driftsMetSince,
  driftsOfAgent,
  expireDrift,
  givesWay,
  historyOfDrift,
  inForce,
  type SetBy,
  setDrift,
  wasSetByHand,
  withinBounds,
} from './settings.ts'
export type { Moment, Span, Track } from './slowness.ts'
export { driftSettingTables } from './tables.ts'
export { type GivenNumbers, type WishedEffect, wishedDrift } from './wish.ts'
export { driftWords, effectShort, effectWords, featureWords, restWords } from './words.ts'

export { makeSafety, type SafetyDeps, type SafetySubject } from './safety.ts'

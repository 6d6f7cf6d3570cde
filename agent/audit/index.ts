export { type Audits, type AuditsDeps, makeAudits } from './audits.ts'
export { makePlaces } from './place.ts'

export { auditAged } from './aged.ts'
export { makeConductor } from './conductor.ts'
export type { Way } from './rehearsal.ts'
export { makeAuditProjector } from './reports.ts'
export {
  findRun,
  type LastLook,
  lastLooks,
  queueRun,
  type Run,
  type RunKind,
  type RunWithFindings,
  runsNamed,
  runsOf,
} from './runs.ts'
export { auditTables } from './tables.ts'
export { makeTouchProjector } from './touches.ts'
export { auditMacsIn, type OwnLook, ownLooks } from './windows.ts'

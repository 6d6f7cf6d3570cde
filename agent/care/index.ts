export { type Care, type CareOp, makeCare } from './care.ts'

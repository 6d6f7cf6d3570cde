export { forgetPatterns } from './forget.ts'
export { makeMimicryProjector } from './projector.ts'
export { doneSince, type InstanceDone, patternsForPlan, type SeenShape, seenOf } from './queries.ts'
export { mimicryMovedTables, mimicryTables } from './tables.ts'

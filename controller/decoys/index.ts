export { type ActionDeps, type DecoyActions, type Done, makeDecoyActions } from './actions.ts'
export { freeAddressIn } from './address-choice.ts'
export { chooseMac } from './addresses.ts'
export { decoysAged } from './aged.ts'
export { macsTaken } from './decoy-writes.ts'
export { makePlacement, type PlacementDeps } from './placement.ts'
export { composePlan, type PlanBody, type PlanDeps } from './plan.ts'
export {
  type ActionEntry,
  actionsOf,
  type Decoy,
  decoyAddressesIn,
  listDecoys,
  type PhaseEntry,
  phaseOf,
  phasesOf,
  readDecoy,
} from './records.ts'
export { makeDecoyStateProjector } from './state-projector.ts'
export { condemnedTables, decoyTables } from './tables.ts'
export { makeUndo, type Undo } from './undo.ts'

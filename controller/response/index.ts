export { responseAged } from './aged.ts'
export { type BlockDeps, type BlockResult, type Blocks, type BlockWish, makeBlocks } from './blocks.ts'
export {
  type Decision,
  type DecisionKind,
  type DecisionStatus,
  type Enforcement,
  endDecision,
  enforcementOf,
  findDecision,
  listDecisions,
  type Unenforced,
  unenforcedOf,
} from './decisions.ts'
export { enforcementProjector } from './enforcement.ts'
export { makeExpiry } from './expiry.ts'
export { machineAddresses, protectedAddresses } from './never-block.ts'
export { type DecoyPorts, makeResponder } from './responder.ts'
export { responseTables, unenforcedTables } from './tables.ts'
export { type UndoPorts, undoDecision } from './undo.ts'

export type { Positions, Reading, Report, Spool } from './port.ts'
export { makeSpool, type SpoolDeps, type SpoolOptions } from './spool.ts'

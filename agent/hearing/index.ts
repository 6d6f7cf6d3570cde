export { makeHearing } from './hearing.ts'
export type { Hearing, HearingDeps } from './ports.ts'

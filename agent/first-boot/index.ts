export type { Command } from './apply.ts'
export { type FirstBootDeps, firstBoot, type Progress } from './first-boot.ts'
export { devicesIn, type Found, lookFor } from './places.ts'
export type { Step } from './plan.ts'

export type { Images } from './held.ts'
export { type OpenedUpdates, openUpdates } from './opened.ts'
export { makeUpdates, type Updates, type UpdatesStanding } from './updates.ts'
export type { Look } from './wellness.ts'

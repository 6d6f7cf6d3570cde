export { type CardSeen, type ConsoleDeps, type ConsoleSettings, makeConsole } from './console.ts'
export { linkLocal } from './link-local.ts'
export type { Finding, Known, View } from './state.ts'

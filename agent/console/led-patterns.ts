import type { State } from './state.ts'

/** Milliseconds on and off in turn, by the kernel's own timer; or steadily. */
export type Pattern = { on: number; off: number } | 'on'

/**
 * What the one light of a Raspberry Pi says. Steady is well; mostly lit: leave it alone; short flashes: something is to
 * be done, the faster the further it came.
 */
export const ledPatterns: Readonly<Record<State, Pattern>> = {
  working: 'on',
  'waiting-for-approval': { on: 1900, off: 100 },
  starting: { on: 1000, off: 1000 },
  updating: { on: 100, off: 100 },
  'no-cable': { on: 100, off: 2900 },
  'no-address': { on: 100, off: 1400 },
  'no-file': { on: 700, off: 200 },
  'no-controller': { on: 100, off: 600 },
  'needs-care': { on: 100, off: 250 },
  wiped: { on: 100, off: 5900 },
}

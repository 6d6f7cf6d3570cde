export { makeTiming, type Timing, type TimingOptions } from './timing.ts'

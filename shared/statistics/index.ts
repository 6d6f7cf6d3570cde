export { type AdwinOptions, type AdwinState, makeAdwin } from './adwin.ts'
export {
  type Block,
  bunchEffect,
  correlationsOf,
  dispersionBound,
  greatestEffect,
  type Worth,
} from './dependence.ts'
export { chiSquaredTest, gTest, jensenShannon, permutationTest, stabilityIndex } from './mixes.ts'
export { makePageHinkley, type PageHinkleyOptions, type PageHinkleyState } from './page-hinkley.ts'
export { falseDiscoveryRates, poissonLower, poissonTwoSided, poissonUpper, wilson } from './rates.ts'
export { kolmogorovSmirnov, mannWhitney, wasserstein } from './samples.ts'
export { binomialLower, binomialUpper, twoRates, twoShares } from './tables.ts'

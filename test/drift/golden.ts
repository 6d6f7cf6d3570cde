import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  chiSquaredTest,
  falseDiscoveryRates,
  gTest,
  jensenShannon,
  kolmogorovSmirnov,
  mannWhitney,
  poissonUpper,
  stabilityIndex,
  wasserstein,
  wilson,
} from '../../shared/statistics/index.ts'
import { asymptoticTail, exactTail } from '../../shared/statistics/kolmogorov.ts'

/** Values of scipy 1.17.1, and of river's streams. */
export type Case = { kind: string; [key: string]: unknown }
export const { cases } = JSON.parse(readFileSync(join(import.meta.dirname, 'golden.json'), 'utf8')) as { cases: Case[] }

export type Numbers = number[]
/** What we compute and what is expected, by name. */
const computed: Record<string, (given: never) => Record<string, number>> = {
  ks_2samp: ({ x, y }: { x: Numbers; y: Numbers }) => {
    const { d } = kolmogorovSmirnov(x, y)
    return { D: d, p_exact: exactTail(d, x.length, y.length), p_asymp: asymptoticTail(d, x.length, y.length) }
  },
  wasserstein: ({ x, y }: { x: Numbers; y: Numbers }) => ({ w: wasserstein(x, y) }),
  mannwhitneyu: ({ x, y }: { x: Numbers; y: Numbers }) => {
    const { u, p } = mannWhitney(x, y)
    return { U: u, p }
  },
  js_divergence_bits: ({ p, q }: { p: Numbers; q: Numbers }) => {
    const jsd = jensenShannon(p, q)
    return { jsd, jsdist: Math.sqrt(jsd) }
  },
  psi_jeffreys_half: ({ p, q }: { p: Numbers; q: Numbers }) => ({ psi: stabilityIndex(p, q) }),
  chi2_contingency: ({ table }: { table: Numbers[] }) => {
    const [chi2, g] = [chiSquaredTest(table), gTest(table)]
    return { chi2: chi2.statistic, p: chi2.p, dof: chi2.degrees, G: g.statistic, pG: g.p }
  },
  binom_wilson: ({ k, n }: { k: number; n: number }) => {
    const { low, high } = wilson(k, n)
    return { 'ci.0': low, 'ci.1': high }
  },
  poisson_sf: ({ k, mu }: { k: number; mu: number }) => ({ p: poissonUpper(k, mu) }),
  bh_fdr: ({ p }: { p: Numbers }) => Object.fromEntries(falseDiscoveryRates(p).map((rate, i) => [`q.${i}`, rate])),
}

export type GoldenError = {
  what: string
  ours: number
  expected: number /** Relative; where nothing is expected, absolute. */
  error: number
}

export function goldenErrors(): GoldenError[] {
  return cases.flatMap((one) =>
    Object.entries(computed[one.kind]?.(one as never) ?? {}).map(([name, ours]) => {
      const [key = '', index] = name.split('.')
      const expected = (index === undefined ? one[key] : (one[key] as Numbers)[Number(index)]) as number
      const error = expected === 0 ? Math.abs(ours) : Math.abs(ours - expected) / Math.abs(expected)
      return { what: `${one.kind} ${name}`, ours, expected, error }
    }),
  )
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  chiSquaredTest,
  falseDiscoveryRates,
  gTest,
  jensenShannon,
  kolmogorovSmirnov,
  makeAdwin,
  makePageHinkley,
  mannWhitney,
  poissonUpper,
  stabilityIndex,
  wasserstein,
  wilson,
} from '../../../shared/statistics/index.ts'
import { asymptoticTail, exactTail } from '../../../shared/statistics/kolmogorov.ts'

/** Values of scipy 1.17.1, and of river's streams. */
type Case = { kind: string; [key: string]: unknown }
const { cases } = JSON.parse(readFileSync(join(import.meta.dirname, 'golden.json'), 'utf8')) as { cases: Case[] }

type Numbers = number[]
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

t.test('statistics are those of scipy, to 1e-9', async (t) => {
  let compared = 0
  for (const one of cases) {
    const compute = computed[one.kind]
    if (!compute) continue
    for (const [name, ours] of Object.entries(compute(one as never))) {
      const [key = '', index] = name.split('.')
      const expected = (index === undefined ? one[key] : (one[key] as Numbers)[Number(index)]) as number
      const error = Math.abs(ours - expected) / Math.max(Math.abs(expected), 1e-300)
      t.ok(
        expected === 0 ? Math.abs(ours) < 1e-12 : error <= 1e-9,
        `${one.kind} ${name}: ${ours}, expected ${expected}`,
      )
      compared++
    }
  }
  t.ok(compared >= 60, `${compared} values`)
})

t.test('streams change where the reference says', async (t) => {
  const { stream, detections } = cases.find(({ kind }) => kind === 'page_hinkley_river_doc') as never as {
    stream: Numbers
    detections: Numbers
  }
  const test = makePageHinkley()
  t.strictSame(
    stream.flatMap((value, i) => (test.add(value) ? [i] : [])),
    detections,
  )
  const { delta, clock, first_detection } = cases.find(({ kind }) => kind === 'adwin_river_doc') as never as {
    delta: number
    clock: number
    first_detection: number
  }
  const adwin = makeAdwin({ delta, every: clock })
  t.equal(
    stream.findIndex((value) => adwin.add(value)),
    first_detection,
  )
})

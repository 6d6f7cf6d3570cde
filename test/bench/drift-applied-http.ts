import type { DriftEffect } from '../../shared/schemas/drift.ts'
import { wilson } from '../../shared/statistics/index.ts'
import { eventually } from '../lab/cowrie-pod.ts'
import { type Asked, asked, medianMs } from '../lab/http-probe.ts'
import { makeDriftingDecoy, page } from '../lab/pod-drift-decoy.ts'
import { type CleanUp, cleanedUp } from './clean-up.ts'
import type { Bench, Row } from './row.ts'

const third = 232
const spread = 0.5

export type Decoy = Awaited<ReturnType<typeof makeDriftingDecoy>>
type Ask = { name: string; effect: DriftEffect; requested: number; times: number; way: 'kept' | 'fresh' }

const wait = (form: 'fixed' | 'jitter', ms: number, spread: number, times: number): Ask => ({
  ...{ name: `${form}_${ms}_ms`, effect: { type: 'latency', form, ms, spread }, requested: ms, times, way: 'kept' },
})
const error = (kind: 'refused' | 'reset', share: number, way: Ask['way'] = 'fresh'): Ask => ({
  ...{ name: `${kind}_${share * 100}_percent`, effect: { type: 'error', kind, share }, requested: share },
  ...{ times: 1500, way },
})
/** Waits and shares of the intensities from low to high. */
const asks: readonly Ask[] = [
  ...[wait('fixed', 10, 0, 200), wait('fixed', 50, 0, 100), wait('fixed', 200, 0, 40)],
  wait('jitter', 50, spread, 300),
  ...[error('refused', 0.04), error('refused', 0.12), error('reset', 0.12)],
  {
    ...{ name: 'fields_20_percent', effect: { type: 'alteration', what: 'fields', share: 0.2 }, requested: 0.2 },
    ...{ times: 1500, way: 'kept' },
  },
]
const nameOf = (one: string) => `drift.http.${one}`
const spreadName = nameOf('jitter_spread')

/** A web page of a decoy measured from a neighbour: what was asked for against what came. */
export const driftAppliedHttpBench: Bench = {
  names: ['drift.http_requested_vs_measured_error', ...asks.map(({ name }) => nameOf(name)), spreadName],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const decoy = await startDecoy(cleanUp)
      const plain = medianMs(await ask(decoy, 200, 'kept'))
      let worst = 0
      const rows: Row[] = []
      for (const { name, requested, ...one } of asks) {
        const { all, ...found } = await measuredOf(decoy, one, plain)
        worst = Math.max(worst, Math.abs(found.measured - requested) / requested)
        const unit = one.effect.type === 'latency' ? 'ms' : 'share'
        rows.push(rowOf(nameOf(name), unit, requested, found))
        const isJitter = one.effect.type === 'latency' && one.effect.form === 'jitter'
        if (isJitter) rows.push(rowOf(spreadName, 'log', spread, spreadOf(all, plain)))
        for (const row of rows.slice(isJitter ? -2 : -1)) progress(told(row))
      }
      return [
        {
          name: 'drift.http_requested_vs_measured_error',
          value: worst,
          unit: 'of requested',
          better: 'lower',
          target: 0.2,
          reference: null,
        },
        ...rows,
      ]
    }),
}

type Found = { measured: number; low: number; high: number }

/** What came, with what was asked for beside it. */
export const rowOf = (name: string, unit: string, reference: number, { measured, low, high }: Found): Row => ({
  ...{ name, value: measured, unit, better: 'lower', target: null, reference, low, high },
})
export const told = ({ name, value, reference, low = Number.NaN, high = Number.NaN }: Row): string =>
  `${name}: asked for ${reference}, measured ${shown(value)} (${shown(low)} to ${shown(high)})`

/** The deviation of the logarithm of waits, by their quartiles (of a normal 1.349 deviations apart), and its interval (1.166/sqrt n of it: the asymptotic error). */
function spreadOf(all: readonly Asked[], plain: number): Found {
  const logs = all.map(({ ms }) => Math.log(Math.max(0.1, ms - plain))).sort((a, b) => a - b)
  const at = (part: number) => logs[Math.floor(part * (logs.length - 1))] ?? Number.NaN
  const measured = (at(0.75) - at(0.25)) / 1.349
  const aside = (1.96 * 1.166 * measured) / Math.sqrt(logs.length)
  return { measured, low: measured - aside, high: measured + aside }
}

export async function startDecoy(cleanUp: CleanUp): Promise<Decoy> {
  const decoy = await makeDriftingDecoy({ teardown: cleanUp.add }, third)
  await decoy.decoys.start(new AbortController().signal)
  await decoy.applied([])
  return decoy
}

const ask = ({ segment, decoy }: Decoy, times: number, way: 'kept' | 'fresh') =>
  asked(segment, decoy.ip, { times, way })

async function inForce(decoy: Decoy, effects: DriftEffect[]): Promise<void> {
  // A wait of its own for each tells by the first answer that is late that this drift, and not the one before, is met.
  await decoy.applied([...effects, { type: 'latency', form: 'fixed', ms: 700, spread: 0 }])
  await eventually(async () => ((await ask(decoy, 1, 'kept'))[0]?.ms ?? 0) > 650 || undefined, 'drift is felt', 20)
  await decoy.applied(effects)
  const quick = async () => ((await ask(decoy, 1, 'kept'))[0]?.ms ?? 9999) < 650 || undefined
  await eventually(quick, 'the drift to be measured is felt', 20)
}

async function measuredOf(decoy: Decoy, { effect, times, way }: Omit<Ask, 'name' | 'requested'>, plain: number) {
  await inForce(decoy, [effect])
  const all = await ask(decoy, times, way)
  if (effect.type === 'latency') return { all, ...medianWithin(all, plain) }
  const k = all.filter(({ came, body }) => came !== 'ok' || body !== page).length
  return { all, measured: k / times, ...wilson(k, times) }
}

/** The median less the one without drift, and the values at the places between which it lies with 95 % (binomial). */
function medianWithin(all: readonly Asked[], plain: number) {
  const sorted = all.map(({ ms }) => ms - plain).sort((a, b) => a - b)
  const [middle, aside] = [sorted.length / 2, 0.98 * Math.sqrt(sorted.length)]
  const at = (place: number) => sorted[Math.min(sorted.length - 1, Math.max(0, Math.floor(place)))] ?? Number.NaN
  return { measured: at(middle), low: at(middle - aside), high: at(middle + aside) }
}

const shown = (value: number): string => String(Number(value.toPrecision(3)))

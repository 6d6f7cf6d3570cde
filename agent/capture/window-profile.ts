import type { Random } from '../../shared/random.ts'
import type { Profile } from '../../shared/schemas/baseline.ts'
import { makeReservoir } from './reservoir.ts'

const mostCategories = 64
const mostSources = 4096

export type WindowProfile = ReturnType<typeof makeWindowProfile>

/**
 * What is counted of one window, and the features it makes. Bounded whatever comes. `sources`: who came, which several
 * profiles of one time may share.
 */
export function makeWindowProfile(random: Random, sources = new Set<number>()) {
  const sample = (unit: 'ms' | 'bytes') => makeReservoir(unit, random)
  const samples = {
    'response.delay': sample('ms'),
    'request.size': sample('bytes'),
    'response.size': sample('bytes'),
    interarrival: sample('ms'),
    'connect.delay': sample('ms'),
    'path.delay': sample('ms'),
    'handshake.delay': sample('ms'),
    'tcp.window': sample('bytes'),
    'answer.window': sample('bytes'),
  }
  const mixes = {
    'client.kind': new Map<string, number>(),
    'client.ja3': new Map<string, number>(),
    'handshake.kind': new Map<string, number>(),
    'flag.kind': new Map<string, number>(),
    'name.kind': new Map<string, number>(),
    'partner.kind': new Map<string, number>(),
  }
  let [asked, refused, data, repeated] = [0, 0, 0, 0]

  return {
    /** A conversation began. */
    opened(source: number, tcpWindow: number | undefined): void {
      if (sources.size < mostSources) sources.add(source)
      if (tcpWindow === undefined) return
      asked++
      samples['tcp.window'].add(tcpWindow)
    },
    refused: () => void refused++,
    carried(again: boolean): void {
      data++
      if (again) repeated++
    },
    add: (name: keyof typeof samples, value: number) => samples[name].add(value),
    count(name: keyof typeof mixes, kind: string): void {
      const mix = mixes[name]
      const key = mix.has(kind) || mix.size < mostCategories - 1 ? kind : 'other'
      mix.set(key, (mix.get(key) ?? 0) + 1)
    },
    profile(seconds: number): Profile {
      const entries = <T, U>(of: Record<string, T>, as: (one: T) => U) =>
        Object.fromEntries(Object.entries(of).map(([name, one]) => [name, as(one)]))
      return {
        'session.rate': { form: 'rate', count: sources.size, seconds },
        'request.rate': { form: 'rate', count: samples['response.delay'].feature().n, seconds },
        ...entries(samples, (one) => one.feature()),
        'error.share': { form: 'share', part: Math.min(refused, asked), of: asked },
        'repeat.share': { form: 'share', part: repeated, of: data },
        ...entries(mixes, (one) => ({ form: 'mix' as const, counts: Object.fromEntries(one) })),
      }
    },
  }
}

/** Whether nothing at all happened in the window. */
export const isQuiet = (profile: Profile): boolean =>
  Object.values(profile).every((feature) => {
    if (feature.form === 'sample') return feature.n === 0
    if (feature.form === 'rate') return feature.count === 0
    if (feature.form === 'share') return feature.of === 0
    return Object.keys(feature.counts).length === 0
  })

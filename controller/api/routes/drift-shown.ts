import { busyWords } from '../../../shared/busy-words.ts'
import type { Feature, FeatureName, Profile } from '../../../shared/schemas/baseline.ts'
import type { Drift } from '../../../shared/schemas/drift.ts'
import { containersOf, serviceRegistry } from '../../../shared/services.ts'
import { type Baseline, baselineOf } from '../../baselines/index.ts'
import type { Decoy } from '../../decoys/index.ts'
import {
  type DriftSetting,
  driftWords,
  effectAt,
  effectShort,
  effectWords,
  expectedAt,
  featureWords,
  type Reach,
  restWords,
} from '../../drift/index.ts'
import { readPersona } from '../../personas/index.ts'
import type { Sql } from '../../store/port.ts'

export type ShownSetting = DriftSetting & {
  words: string[]
  short: string[]
  /** Not met: an administrator's drift for everyone stands before it. */
  givesWay?: true
}
/** A feature of what is expected: before and after, in words, and how many observations it rests on. */
export type ShownFeature = { feature: FeatureName; before: string; after: string; rests: string; same: boolean }
export type ShownPort = {
  port: number
  service: string
  reach: Reach
  /** Each effect as it is there; undefined: it does nothing to that port. */
  effects: { words: string; here?: string }[]
  baseline: { from: Baseline['from']; windows: number; features: ShownFeature[] }
}

/** `busy`: what the service itself says where it is. */
type Port = { port: number; service: string; reach: Reach; busy?: string }

export const shownSetting = (setting: DriftSetting): ShownSetting => ({
  ...setting,
  words: driftWords(setting.drift),
  short: setting.drift?.effects.map(effectShort) ?? ['none'],
})

/** Where a decoy answers: SSH and telnet first. */
export async function portsOf(sql: Sql, decoy: Pick<Decoy, 'persona' | 'personaVersion'>): Promise<Port[]> {
  const persona = await readPersona(sql, decoy.persona, decoy.personaVersion)
  const cowrie = (service: string, port: number): Port => ({ port, service, reach: 'cowrie' })
  return [
    ...(persona?.ssh ? [cowrie('ssh', 22)] : []),
    ...(persona?.telnet ? [cowrie('telnet', 23)] : []),
    ...(persona?.services ?? []).map((one): Port => {
      const busy = busyWords(one, containersOf(persona ?? {}))
      const reach = serviceRegistry[one.kind].proto === 'udp' ? 'udp' : 'tcp'
      return { port: one.port, service: one.kind, reach, ...(busy !== undefined && { busy }) }
    }),
  ]
}

/** What a drift does at each port, and how what is expected there changes from what it is with `before`. */
export async function shownPorts(
  sql: Sql,
  decoy: Pick<Decoy, 'id' | 'persona' | 'personaVersion'>,
  drift: Drift | null,
  before: Drift | null = null,
): Promise<ShownPort[]> {
  const shown: ShownPort[] = []
  for (const { busy, ...one } of await portsOf(sql, decoy)) {
    const { profile, from, n } = await baselineOf(sql, { decoy: decoy.id, port: one.port })
    shown.push({
      ...one,
      effects: (drift?.effects ?? []).map((effect) => {
        const here = effectAt(effect, one.reach, busy)
        return { words: effectWords(effect), ...(here !== undefined && { here }) }
      }),
      baseline: {
        from,
        windows: n,
        features: changesOf(withDrift(profile, before, one.reach, busy), withDrift(profile, drift, one.reach, busy)),
      },
    })
  }
  return shown
}

/** The baseline that intensities are relative to: of the first port whose answers are known; else none. */
export async function baselineFor(sql: Sql, decoy: Decoy): Promise<{ profile: Profile; port?: number }> {
  for (const { port } of await portsOf(sql, decoy)) {
    const { profile } = await baselineOf(sql, { decoy: decoy.id, port })
    if (profile['response.delay']) return { profile, port }
  }
  return { profile: {} }
}

const withDrift = (profile: Profile, drift: Drift | null, reach: Reach, busy: string | undefined): Profile =>
  drift === null ? profile : expectedAt(profile, drift, reach, busy !== undefined)

const changesOf = (before: Profile, after: Profile): ShownFeature[] =>
  (Object.entries(before) as [FeatureName, Feature][]).map(([feature, known]) => {
    const then = after[feature] ?? known
    const [was, is] = [featureWords(known), featureWords(then)]
    return { feature, before: was, after: is, rests: restWords(known), same: was === is }
  })

import type { FeatureName, Profile, SampleFeature } from '../../shared/schemas/baseline.ts'
import { type Drift, type DriftEffect, mostDelayMs } from '../../shared/schemas/drift.ts'
import type { ServiceKind } from '../../shared/schemas/persona.ts'
import { serviceRegistry } from '../../shared/services.ts'
import { expectedProfile } from './expected.ts'

/** Who applies drift to a port: Cowrie to its own sessions, the pod's network to packets of all others. */
export type Reach = 'cowrie' | 'tcp' | 'udp'

/** Of a service by its kind; undefined for what a decoy does by itself, which no drift reaches. */
export function reachOf(service: string): Reach | undefined {
  if (service === 'ssh' || service === 'telnet') return 'cowrie'
  return serviceRegistry[service as ServiceKind]?.proto
}

/**
 * What becomes of an effect at a port: nothing (undefined), or what it does there, empty where that is what it says. Packets
 * know neither disks nor listings; in plain text alone a digit can stand for another; a datagram has no reset. `busy`: what
 * the service itself says then (`shared/busy-words.ts`), where it has a word for it.
 */
export function effectAt(effect: DriftEffect, reach: Reach, busy?: string): string | undefined {
  if (reach === 'cowrie' && effect.type === 'error' && effect.kind === 'refused')
    return 'and of further sessions in an open one'
  if (reach === 'cowrie' || effect.type === 'latency' || effect.type === 'schedule') return ''
  if (effect.type === 'error') {
    if (effect.kind === 'disk') return undefined
    if (effect.kind === 'busy') return busy ?? `as a wait of ${mostDelayMs} ms`
    if (reach === 'tcp') return effect.kind === 'timeout' ? 'as a connection that never opens' : ''
    if (effect.kind === 'reset') return undefined
    return effect.kind === 'refused' ? 'as a closed port, told by ICMP' : ''
  }
  if (reach === 'udp' || effect.what === 'listing') return undefined
  return 'as digits changed in plain text'
}

/** Answers that wait: packets of a pod know no greeting from any other answer, Cowrie waits before what a command says. */
export const waitingAt = (reach: Reach): readonly FeatureName[] =>
  reach === 'tcp' ? ['response.delay', 'handshake.delay'] : ['response.delay']

/**
 * The baseline as it will be seen at such a port. Outside Cowrie a busy port is late, where its service says nothing
 * (`saysBusy`), and tells no error; a connection that never opens fails without one, and a datagram that is refused or lost
 * was none. A reset is drawn for each answer and ends all of its connection: of connections with many answers far more fail
 * than of answers.
 */
export function expectedAt(baseline: Profile, drift: Drift, reach: Reach, saysBusy = false): Profile {
  const felt = driftAt(drift, reach)?.effects ?? []
  if (reach === 'cowrie') return felt.length === 0 ? baseline : expectedProfile(baseline, { ...drift, effects: felt })
  const told = reach === 'tcp' ? felt.flatMap((effect) => failingOf(effect, baseline)) : felt.filter(isNoError)
  const waiting = waitingAt(reach)
  const expected = told.length === 0 ? baseline : expectedProfile(baseline, { ...drift, effects: told }, 0, waiting)
  const busy = sharesOf(felt, 'busy')
  if (busy === 0 || saysBusy) return expected
  const late = waiting.flatMap((name) => {
    const [own, one] = [baseline[name], expected[name]]
    return own?.form === 'sample' && one?.form === 'sample' ? [[name, withLate(own, one, busy)] as const] : []
  })
  return { ...expected, ...Object.fromEntries(late) }
}

const isNoError = ({ type }: DriftEffect): boolean => type !== 'error'

/** As an error of connections, which is what a baseline counts. */
function failingOf(effect: DriftEffect, baseline: Profile): DriftEffect[] {
  if (effect.type !== 'error' || effect.kind === 'refused') return [effect]
  if (effect.kind !== 'reset') return []
  return [{ ...effect, share: 1 - (1 - effect.share) ** answersOf(baseline) }]
}

/** Answers of a connection in the mean, greetings among them; one where that is not known. */
function answersOf(baseline: Profile): number {
  const [connections, requests, greetings] = [
    baseline['error.share'],
    baseline['request.rate'],
    baseline['handshake.delay'],
  ]
  if (connections?.form !== 'share' || connections.of === 0) return 1
  const answers = (requests?.form === 'rate' ? requests.count : 0) + (greetings?.form === 'sample' ? greetings.n : 0)
  return Math.max(1, answers / connections.of)
}

/** Where a `share` comes late instead of as `other` says. Evenly over the sample: one of twenty is each twentieth. */
const withLate = (own: SampleFeature, other: SampleFeature, share: number): SampleFeature => ({
  ...other,
  values: other.values.map((value, i) =>
    Math.floor((i + 1) * share) > Math.floor(i * share) ? (own.values[i] ?? 0) + mostDelayMs : value,
  ),
})

const sharesOf = (effects: readonly DriftEffect[], kind: string): number =>
  effects.reduce((sum, effect) => sum + (effect.type === 'error' && effect.kind === kind ? effect.share : 0), 0)

/** The part of a drift that a port feels; undefined where it feels none. */
export function driftAt({ seed, effects }: Drift, reach: Reach): Drift | undefined {
  const felt = effects.filter((effect) => effectAt(effect, reach) !== undefined)
  return felt.length === 0 ? undefined : { seed, effects: felt }
}

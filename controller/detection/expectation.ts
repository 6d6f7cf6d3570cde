import type { FeatureName, Profile } from '../../shared/schemas/baseline.ts'
import type { DecoyDrift, Drift, DriftEffect } from '../../shared/schemas/drift.ts'
import { driftAt, expectedAt, type Reach, reachOf, waitingAt } from '../drift/index.ts'

export type Expectation = {
  profile: Profile
  /** Features that the drift in force moves by an amount that nobody can tell beforehand: no finding either way. */
  untold: ReadonlySet<FeatureName>
  /** Features of which any part may be drifted: all between `baseline` and `profile` is as expected. */
  band?: { features: readonly FeatureName[]; baseline: Profile }
}

/** What is to be seen at a service whose decoy has this drift in force. Pure. */
export function expectationOf(baseline: Profile, { everyone, views }: DecoyDrift, service: string): Expectation {
  const untold = new Set<FeatureName>()
  const reach = reachOf(service)
  const felt = reach && everyone ? driftAt(everyone, reach) : undefined
  for (const effect of felt?.effects ?? []) for (const feature of untoldBy(effect, reach as Reach)) untold.add(feature)
  // Who has a view of his own is not told apart in a window.
  for (const { drift } of views) for (const feature of movedBy(drift ?? everyone)) untold.add(feature)
  if (!felt || !reach) return { profile: baseline, untold }
  return {
    profile: expectedAt(baseline, felt, reach),
    untold,
    ...(waitsInPart(felt, reach) && { band: { features: waitingAt(reach), baseline } }),
  }
}

/**
 * Whether fewer answers may wait than were told to: in a session of Cowrie it is commands, not each answer of the protocol;
 * who asks once more by a datagram is answered sooner after that; and who does not wait for a busy service has no answer.
 */
const waitsInPart = ({ effects }: Drift, reach: Reach): boolean =>
  effects.some((effect) =>
    effect.type === 'latency'
      ? reach !== 'tcp'
      : reach !== 'cowrie' && effect.type === 'error' && effect.kind === 'busy',
  )

/** What an effect moves by as much as the traffic happens to make of it. */
function untoldBy(effect: DriftEffect, reach: Reach): readonly FeatureName[] {
  switch (effect.type) {
    case 'latency':
      // How many sessions are open besides is not in a window.
      return effect.form === 'load' ? waitingAt(reach) : []
    case 'alteration':
      // A digit stands in the place of another: nothing becomes longer.
      return reach === 'cowrie' ? ['response.size', 'altered.share'] : ['altered.share']
    case 'schedule':
      return ['session.rate', 'request.rate', 'error.share', 'interarrival']
    case 'error':
      return untoldByError(effect.kind, reach)
  }
}

function untoldByError(kind: Extract<DriftEffect, { type: 'error' }>['kind'], reach: Reach): readonly FeatureName[] {
  // One for each answer: how many connections fail follows from how much is asked in one.
  if (kind === 'reset') return ['error.share', 'response.size', 'request.rate']
  if (reach !== 'cowrie') return ['request.rate']
  // Capture counts resets as errors; whatever else fails, it sees as an answer of another length or time.
  return [
    ...(kind === 'refused' ? [] : ['error.share' as const, 'response.delay' as const]),
    'response.size',
    'request.rate',
  ]
}

const movedBy = (drift: Drift | null): FeatureName[] =>
  drift === null
    ? []
    : ['response.delay', 'handshake.delay', 'response.size', 'error.share', 'altered.share', 'interarrival']

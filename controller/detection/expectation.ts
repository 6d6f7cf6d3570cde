import type { FeatureName, Profile } from '../../shared/schemas/baseline.ts'
import type { Drift, DriftEffect } from '../../shared/schemas/drift.ts'
import { driftAt, expectedAt, type Reach, reachOf, waitingAt } from '../drift/index.ts'

export type Expectation = {
  profile: Profile
  /** Features that the drift in force moves by an amount that nobody can tell beforehand: no finding either way. */
  untold: ReadonlySet<FeatureName>
  /** Features of which any part may be drifted: all between `baseline` and `profile` is as expected. */
  band?: { features: readonly FeatureName[]; baseline: Profile }
}

/** What is to be seen at a service by those who meet this drift. Pure. */
export function expectationOf(baseline: Profile, drift: Drift | null, service: string): Expectation {
  const reach = reachOf(service)
  const felt = reach && drift ? driftAt(drift, reach) : undefined
  if (!felt || !reach) return { profile: baseline, untold: new Set() }
  const untold = new Set(felt.effects.flatMap((effect) => untoldBy(effect, reach)))
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
  // Some services say so themselves, in an answer of another length that ends the connection; others are late (`band`).
  if (reach === 'tcp' && kind === 'busy') return ['request.rate', 'response.size', 'handshake.kind', 'flag.kind']
  if (reach !== 'cowrie') return ['request.rate']
  // Capture counts resets as errors; whatever else fails, it sees as an answer of another length or time.
  return [
    ...(kind === 'refused' ? [] : ['error.share' as const, 'response.delay' as const]),
    'response.size',
    'request.rate',
  ]
}

import type { FeatureName, Profile } from '../../shared/schemas/baseline.ts'
import type { DecoyDrift, Drift } from '../../shared/schemas/drift.ts'
import { expectedProfile } from '../drift/index.ts'

export type Expectation = {
  profile: Profile
  /** Features that the drift in force moves by an amount that nobody can tell beforehand: no finding either way. */
  untold: ReadonlySet<FeatureName>
  /** Features of which any part may be drifted: all between `baseline` and `profile` is as expected. */
  band?: { feature: 'response.delay'; baseline: Profile }
}

/** Ports at which a wait is put before what a command says, not before each answer of the protocol. */
const waitsInSessions: ReadonlySet<string> = new Set(['ssh', 'telnet'])

/** What is to be seen at a service whose decoy has this drift in force. Pure. */
export function expectationOf(baseline: Profile, { everyone, views }: DecoyDrift, service: string): Expectation {
  const untold = new Set<FeatureName>()
  if (everyone) for (const feature of untoldBy(everyone)) untold.add(feature)
  // Who has a view of his own is not told apart in a window.
  for (const { drift } of views) for (const feature of movedBy(drift ?? everyone)) untold.add(feature)
  if (!everyone) return { profile: baseline, untold }
  const profile = expectedProfile(baseline, everyone)
  const waits = everyone.effects.some(({ type }) => type === 'latency')
  return {
    profile,
    untold,
    ...(waits && waitsInSessions.has(service) && { band: { feature: 'response.delay', baseline } as const }),
  }
}

/** What an effect moves by as much as the traffic happens to make of it. */
function untoldBy({ effects }: Drift): FeatureName[] {
  return effects.flatMap((effect): FeatureName[] => {
    // How many sessions are open besides is not in a window.
    if (effect.type === 'latency') return effect.form === 'load' ? ['response.delay'] : []
    if (effect.type === 'alteration') return ['response.size', 'altered.share']
    if (effect.type === 'schedule') return ['session.rate', 'request.rate', 'error.share', 'interarrival']
    const reset = effect.kind === 'refused' || effect.kind === 'reset'
    // Capture counts resets as errors; whatever else fails, it sees as an answer of another length or time.
    return [...(reset ? [] : ['error.share' as const, 'response.delay' as const]), 'response.size', 'request.rate']
  })
}

const movedBy = (drift: Drift | null): FeatureName[] =>
  drift === null ? [] : [...untoldBy(drift), 'response.delay', 'response.size', 'error.share', 'altered.share']

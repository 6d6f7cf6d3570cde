import type { FeatureName } from '../../shared/schemas/baseline.ts'
import type { WindowSubject } from '../../shared/schemas/observation.ts'

/**
 * Whose doing a feature is. `own`: of what is watched itself. `way`: of the network between it and its visitors. `visitors`:
 * of whoever comes, who is free to come more often, or with another client; of whom a decoy asks by itself; and of the plan of
 * its mimicry. These are told, and never a drift of the decoy.
 */
export type Whose = 'own' | 'way' | 'visitors'

/** Of who answers: at its ports the decoy; where it asks by itself others do, and another decoy may be under drift. */
const ofAnswerer: ReadonlySet<FeatureName> = new Set<FeatureName>([
  'response.delay',
  'connect.delay',
  'handshake.delay',
  'response.size',
  'answer.window',
  'error.share',
  'altered.share',
  'handshake.kind',
])

const ofWay: ReadonlySet<FeatureName> = new Set<FeatureName>(['path.delay', 'repeat.share'])

/** What mimicry does by the hour of its segment, and otherwise when it draws new parameters: its plan moves it. */
const byPlan: ReadonlySet<FeatureName> = new Set<FeatureName>([
  'session.rate',
  'request.rate',
  'interarrival',
  'request.size',
  'client.kind',
  'name.kind',
  'partner.kind',
])

/** What a decoy asks unasked is its own, and of mimicry what its plan does not move. */
export function whoseIs(subject: WindowSubject, feature: FeatureName): Whose {
  if (ofWay.has(feature)) return 'way'
  if (subject.kind === 'decoy' && subject.port !== undefined) return ofAnswerer.has(feature) ? 'own' : 'visitors'
  return ofAnswerer.has(feature) || (subject.kind === 'mimicry' && byPlan.has(feature)) ? 'visitors' : 'own'
}

/** Answers follow questions: where visitors ask for something else, these move without anything being wrong. */
export const followsRequests: ReadonlySet<FeatureName> = new Set<FeatureName>(['response.delay', 'response.size'])

/** Milliseconds that no visitor tells from none: the clock and the scheduler of a busy machine move by as much. */
export const leastShiftMs = 0.5

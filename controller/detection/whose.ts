import type { FeatureName } from '../../shared/schemas/baseline.ts'
import type { WindowSubject } from '../../shared/schemas/observation.ts'

/**
 * Whose doing a feature is. `own`: of what is watched itself. `way`: of the network between it and its visitors. `visitors`:
 * of whoever comes, who is free to come more often, or with another client: told, and never a drift of the decoy.
 */
export type Whose = 'own' | 'way' | 'visitors'

const ownOfPorts: ReadonlySet<FeatureName> = new Set<FeatureName>([
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

/** What a decoy does unasked, and what mimicry makes, is theirs in all features. */
export function whoseIs(subject: WindowSubject, feature: FeatureName): Whose {
  if (ofWay.has(feature)) return 'way'
  if (subject.kind !== 'decoy' || subject.port === undefined || ownOfPorts.has(feature)) return 'own'
  return 'visitors'
}

/** Answers follow questions: where visitors ask for something else, these move without anything being wrong. */
export const followsRequests: ReadonlySet<FeatureName> = new Set<FeatureName>(['response.delay', 'response.size'])

/** Milliseconds that no visitor tells from none: the clock and the scheduler of a busy machine move by as much. */
export const leastShiftMs = 0.5

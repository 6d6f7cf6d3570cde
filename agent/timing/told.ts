import type { Profile, SampleFeature } from '../../shared/schemas/baseline.ts'
import type { FeatureWindow } from '../../shared/schemas/observation.ts'
import type { Visit } from './ask.ts'
import type { Service } from './services.ts'

/** What one visit tells of a service, as features of the time since the visit before. Pure. */
export function windowOf(service: Service, seen: Visit, at: string, seconds: number): FeatureWindow {
  const one = (unit: SampleFeature['unit'], value: number | undefined): SampleFeature | undefined =>
    value === undefined ? undefined : { form: 'sample', unit, n: 1, values: [value] }
  const profile: Profile = {
    ...given('connect.delay', one('ms', seen.connectMs)),
    ...given('handshake.delay', one('ms', seen.handshakeMs)),
    ...given('response.delay', one('ms', seen.responseMs)),
    ...given('request.size', one('bytes', seen.requestBytes)),
    ...given('response.size', one('bytes', seen.responseBytes)),
    'error.share': { form: 'share', part: seen.failed ? 1 : 0, of: 1 },
    ...(seen.handshakeKind !== undefined && {
      'handshake.kind': { form: 'mix' as const, counts: { [seen.handshakeKind]: 1 } },
    }),
  }
  const { cidr, ip, port, kind } = service
  return {
    type: 'window',
    at,
    seconds,
    subject: { kind: 'service', cidr, ip, port },
    service: kind,
    profile,
    missed: 0,
  }
}

const given = <K extends keyof Profile>(name: K, feature: SampleFeature | undefined): Profile =>
  feature ? { [name]: feature } : {}

import { isMade, mostKindsOfPlan, roleOf, rolesFor } from '../../shared/mimicry-kinds.ts'
import type { MimicryTarget, TrafficPattern } from '../../shared/schemas/mimicry.ts'

/** What the configuration lets decoys talk to. */
export type Places = {
  resolvers: readonly unknown[]
  updates: readonly unknown[]
  clocks: readonly unknown[]
  peers: boolean
}
export type NotMade = { kind: string; why: string }
type Role = Exclude<MimicryTarget['role'], 'service'>

const whom: Record<Role, { setting: keyof Places; what: string }> = {
  resolver: { setting: 'resolvers', what: 'lookups of names' },
  updates: { setting: 'updates', what: 'updates' },
  clock: { setting: 'clocks', what: 'questions for the time' },
  peer: { setting: 'peers', what: 'talk with other decoys' },
}

/** Which of the kinds that were seen decoys do not make, and why. Pure. */
export function notMade(patterns: readonly Pick<TrafficPattern, 'kind'>[], places: Places): NotMade[] {
  let left = mostKindsOfPlan
  return patterns.flatMap(({ kind }) => {
    if (!isMade(kind)) return { kind, why: 'what goes to everybody' }
    // A plan bears kinds whether or not there is a place for them.
    if (left-- <= 0) return { kind, why: `a plan bears the ${mostKindsOfPlan} kinds there is most of` }
    if (rolesFor(kind).some((role) => isThere(places, role))) return []
    return { kind, why: `nobody to ask stands in \`mimicry.${whom[roleOf(kind) as Role].setting}\`` }
  })
}

/** What decoys make in shapes of their agent's own, since nobody saw any of it. Pure. */
export function inOwnShapes(patterns: readonly Pick<TrafficPattern, 'kind'>[], places: Places): string[] {
  const seen = new Set(patterns.filter(({ kind }) => isMade(kind)).map(({ kind }) => roleOf(kind)))
  return (Object.keys(whom) as Role[])
    .filter((role) => !seen.has(role) && isThere(places, role))
    .map((role) => whom[role].what)
}

function isThere(places: Places, role: MimicryTarget['role']): boolean {
  const place = places[whom[role as Role].setting]
  return place === true || (Array.isArray(place) && place.length > 0)
}

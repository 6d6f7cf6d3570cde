import type { Random } from '../../shared/random.ts'
import type { Profile } from '../../shared/schemas/baseline.ts'
import { makeWindowProfile, type WindowProfile } from './window-profile.ts'

/** The group of whoever has none of his own, and of those whose features are nobody's. */
export const [everyone, untold]: [string, string] = ['', '-']
/** Groups beyond these are untold. */
const mostGroups = 64

/**
 * Features of one time, apart for groups of those who asked. How often somebody came and asked is told of all together, in
 * everyone's: with it one window says how busy it was.
 */
export function makeWindowGroups(random: Random) {
  let sources = new Set<number>()
  const groups = new Map<string, WindowProfile>()

  function of(group: string): WindowProfile {
    const known = groups.get(group)
    if (known) return known
    if (groups.size >= mostGroups && group !== untold && group !== everyone) return of(untold)
    const fresh = makeWindowProfile(random, sources)
    groups.set(group, fresh)
    return fresh
  }

  return {
    of,
    /** All groups' since the last call, which looked for `seconds`. */
    take(seconds: number): Map<string, Profile> {
      const all = of(everyone).profile(seconds)
      const told = new Map([[everyone, all]])
      let requests = 0
      for (const [group, one] of groups) {
        const { 'session.rate': _, 'request.rate': asked, ...profile } = one.profile(seconds)
        requests += asked?.form === 'rate' ? asked.count : 0
        if (group !== everyone && group !== untold) told.set(group, profile)
      }
      sources = new Set()
      groups.clear()
      return told.set(everyone, { ...all, 'request.rate': { form: 'rate', count: requests, seconds } })
    },
  }
}

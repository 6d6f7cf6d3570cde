import { MarshlightError } from '../../shared/errors.ts'
import { canonicalCidr, overlaps, parseNetwork, within } from '../../shared/network.ts'
import type { ScanPolicy } from '../../shared/schemas/desired-state.ts'
import type { Nic } from './interfaces.ts'

export type Target = { segment: Nic; ranges: string[]; exclude: string[]; addresses: number }
export type Refusal = { cidr: string; error: MarshlightError }

type Asked = {
  segments: readonly Nic[]
  policy: Pick<ScanPolicy, 'ranges' | 'exclude' | 'maxHosts'>
  /** Addresses of the appliance's own decoys. */
  ownDecoys: readonly string[]
  /** A part of the segments, where somebody asked for just that. */
  cidr?: string | undefined
}

/**
 * What may be scanned: the appliance's own segments, each cut to those of the policy's ranges that are in it (the others
 * are of other segments) and to what was asked for, less the exclusions, the appliance and its decoys. What was asked for
 * and lies outside is refused, never cut silently to something else.
 */
export function chooseTargets({ segments, policy, ownDecoys, cidr }: Asked): {
  targets: Target[]
  refusals: Refusal[]
} {
  const refusals: Refusal[] = []
  const own = segments.map((segment) => segment.cidr).join(', ') || 'none'
  const outside = (target: string, of: string) =>
    refusals.push({ cidr: canonicalCidr(target), error: new MarshlightError('TARGET_OUTSIDE', { target, cidr: of }) })

  const rangesOf = (segment: Nic) => {
    const named = policy.ranges.flatMap((range) => narrower(range, segment.cidr))
    return named.length > 0 ? named : [segment.cidr]
  }
  if (cidr !== undefined) {
    const around = segments.filter((segment) => within(cidr, segment.cidr))
    const ranges = around.flatMap(rangesOf)
    if (around.length === 0) outside(cidr, own)
    else if (!ranges.some((range) => overlaps(range, cidr))) outside(cidr, ranges.join(', '))
    if (refusals.length > 0) return { targets: [], refusals }
  }

  const targets = segments.flatMap((segment): Target[] => {
    const cuts = disjoint(rangesOf(segment).flatMap((range) => (cidr === undefined ? [range] : narrower(range, cidr))))
    const addresses = cuts.reduce((sum, one) => sum + sizeOf(one), 0)
    if (addresses === 0) return []
    if (addresses > policy.maxHosts) {
      const details = { cidr: cuts.join(', '), hosts: addresses, limit: policy.maxHosts }
      refusals.push({ cidr: segment.cidr, error: new MarshlightError('SEGMENT_TOO_LARGE', details) })
      return []
    }
    const inside = (one: string) => overlaps(one, segment.cidr)
    const exclude = [...new Set([segment.address, ...policy.exclude, ...ownDecoys])].filter(inside)
    if (cuts.every((one) => exclude.some((wall) => within(one, wall)))) {
      if (cidr !== undefined) outside(cidr, `${segment.cidr} less its exclusions`)
      return []
    }
    return [{ segment, ranges: cuts, exclude, addresses }]
  })
  return { targets, refusals }
}

const sizeOf = (cidr: string): number => {
  const { first, last } = parseNetwork(cidr)
  return last - first + 1
}

/** The common part of two networks: CIDR networks nest or are apart, so it is the smaller one, or nothing. */
const narrower = (a: string, b: string): string[] =>
  within(a, b) ? [canonicalCidr(a)] : within(b, a) ? [canonicalCidr(b)] : []

/** Without those that lie within another. */
const disjoint = (cidrs: readonly string[]): string[] =>
  [...new Set(cidrs)].filter((one, _, all) => !all.some((other) => other !== one && within(one, other)))

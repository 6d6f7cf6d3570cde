import { overlaps, parseNetwork, within } from '../../shared/network.ts'

/** An address or network that is never blocked, and why, in words. */
export type Protected = { cidr: string; why: string }
export type Verdict =
  | { ok: true }
  | { ok: false; code: 'protected' | 'too-wide' | 'too-many'; protected?: Protected; why: string }
export type Proposal = { cidr: string; madeBy: 'risk' | 'admin' }

/** Widest network that risk, and that an administrator, may block. */
export const widest = { risk: 32, admin: 24 } as const

/**
 * Whether a block may be made. No decision ever touches an address on the never-block list, however it was asked for;
 * risk may block single addresses only, and only so many an hour.
 */
export function judgeBlock(
  proposal: Proposal,
  o: { protected: readonly Protected[]; madeInLastHour: number; maxPerHour: number },
): Verdict {
  const { prefix } = parseNetwork(proposal.cidr)
  const touched = o.protected.find(({ cidr }) => overlaps(cidr, proposal.cidr))
  if (touched) return { ok: false, code: 'protected', protected: touched, why: `${touched.cidr} is ${touched.why}` }
  if (prefix < widest[proposal.madeBy])
    return { ok: false, code: 'too-wide', why: `/${prefix} is wider than /${widest[proposal.madeBy]}` }
  if (proposal.madeBy === 'risk' && o.madeInLastHour >= o.maxPerHour)
    return { ok: false, code: 'too-many', why: `${o.madeInLastHour} blocks were made within the hour` }
  return { ok: true }
}

/** Networks without those that lie within others of the list. */
export function withoutNested(cidrs: readonly string[]): string[] {
  const unique = [...new Set(cidrs)]
  return unique.filter((one) => !unique.some((other) => other !== one && within(one, other)))
}

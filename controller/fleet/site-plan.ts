import { z } from 'zod'
import { cidr4 } from '../../shared/schemas/common.ts'
import { tag } from './tags.ts'

const name = z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N} _.-]{0,63}$/u, 'a name of letters, digits, blanks and _.-')

/** What a segment shall have once its boxes are there. */
export const segmentPlan = z.strictObject({
  name,
  /** Boxes that shall stand in it. */
  appliances: z.int().min(0).max(64).default(1),
  /** The network that is expected there. */
  cidr: cidr4.optional(),
  /** Decoys to keep in it, in place of `decoys.perSegment` of the configuration. */
  decoys: z.int().min(0).max(250).optional(),
  /** Families that its decoys are taken from; absent: chosen by what stands there. */
  families: z.array(z.string().min(1).max(64)).min(1).max(16).optional(),
  /** Whether adaptation may let its decoys deviate; what is set by hand stands either way. */
  drift: z.enum(['adapted', 'none']).optional(),
  /** For the boxes of this segment, beside those of the site. A ring of updates is drawn by a tag. */
  tags: z.array(tag).max(8).default([]),
})
export const sitePlan = z.strictObject({
  tags: z.array(tag).max(8).default([]),
  segments: z
    .array(segmentPlan)
    .min(1)
    .max(64)
    .refine((all) => new Set(all.map((one) => one.name)).size === all.length, 'two segments have one name'),
})
export const siteName = name
export const templateName = z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,63}$/, 'a name such as branch-office')

export type SegmentPlan = z.infer<typeof segmentPlan>
export type SitePlan = z.infer<typeof sitePlan>

/** What stands at a site now. */
export type SiteHas = {
  segments: {
    name: string
    cidr: string | null
    boxes: { name: string; online: boolean; tags: readonly string[] }[]
    decoys: { wanted: number; ready: number }
  }[]
  /** The most decoys that the configuration allows a segment. */
  mostDecoys: number
  /** As the template that the plan was made from is now; undefined where there was none, null where it is gone. */
  template?: SitePlan | null | undefined
}
export type SiteDifference = { where: string; what: string; has: string; should: string }

/** How a site differs from its plan. What nobody planned is no fault: a box may have further cards. */
export function siteDifferences(plan: SitePlan, has: SiteHas): SiteDifference[] {
  const found: SiteDifference[] = []
  for (const wish of plan.segments) {
    const { name: where } = wish
    const tell = (what: string, now: string | number, should: string | number) =>
      void found.push({ where, what, has: String(now), should: String(should) })
    const one = has.segments.find((segment) => segment.name === where)
    const boxes = one?.boxes ?? []
    if (boxes.length !== wish.appliances) tell('boxes', boxes.length, wish.appliances)
    for (const box of boxes) {
      const missing = [...plan.tags, ...wish.tags].filter((tag) => !box.tags.includes(tag))
      if (missing.length > 0) tell(`tags of ${box.name}`, box.tags.join(' ') || 'none', `also ${missing.join(' ')}`)
      if (!box.online) tell(box.name, 'not connected', 'connected')
    }
    if (wish.cidr && one?.cidr && one.cidr !== wish.cidr) tell('network', one.cidr, wish.cidr)
    if (wish.decoys !== undefined && wish.decoys > has.mostDecoys)
      tell('decoys', `${has.mostDecoys} at most (decoys.maxPerSegment)`, wish.decoys)
    else if (wish.decoys !== undefined && boxes.length > 0 && (one?.decoys.ready ?? 0) < wish.decoys)
      tell('decoys', `${one?.decoys.ready ?? 0} ready`, wish.decoys)
  }
  if (has.template === null) found.push({ where: 'plan', what: 'template', has: 'removed', should: 'there' })
  else if (has.template && JSON.stringify(has.template) !== JSON.stringify(plan))
    found.push({ where: 'plan', what: 'template', has: 'changed since', should: 'as planned' })
  return found
}

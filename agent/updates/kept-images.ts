import type { Current, Held, Images } from './held.ts'

/** Confirmed: what was new is what there is; of decoys' images those before stay, and those before them go. */
export function afterTaking(held: Held, over: Current): Held {
  const highest = Math.max(held.highest, over.sequence)
  const version = over.parts.find(({ component }) => component === 'decoys')?.version
  if (!over.images || version === undefined) return { ...held, highest }
  const { decoysBefore, decoys } = held
  return {
    ...held,
    highest,
    unwanted: withImages({ ...held, ...(decoys && { decoysBefore: decoys }) }, decoysBefore?.images, over.images),
    decoys: { version, images: over.images },
    ...(decoys && { decoysBefore: decoys }),
  }
}

/** The tags to be dropped, with these: none that is in use, or kept. */
export function withImages(held: Held, images: Images | undefined, kept: Images = {}): string[] {
  const stay = new Set(
    [held.decoys?.images, held.decoysBefore?.images, kept].flatMap((one) => Object.values(one ?? {})),
  )
  return [...new Set([...held.unwanted, ...Object.values(images ?? {})])].filter((tag) => !stay.has(tag)).slice(-64)
}

import type { Before, Current } from './held.ts'

/** How the agent does, as its other rooms say. */
export type Look = {
  /** Connected, and something was acknowledged since this process began. */
  link: { up: boolean; words: string }
  rooms: readonly { name: string; running: boolean; words: string }[]
  /** Decoys of the plan. */
  decoys: readonly { id: string; ready: boolean; words: string }[]
}

/** What is well now, to be asked for after the switch. */
export const beforeOf = ({ link, rooms, decoys }: Look): Before => ({
  link: link.up,
  rooms: rooms.filter(({ running }) => running).map(({ name }) => name),
  decoys: decoys.filter(({ ready }) => ready).map(({ id }) => id),
})

/**
 * What was well before and is not now, in words; undefined where nothing is. A release that came over the line has to be
 * heard of over the line; one that was brought to a box without a controller has not.
 */
export function missingOf({ before, source }: Pick<Current, 'before' | 'source'>, look: Look): string | undefined {
  const { link, rooms, decoys } = look
  if (!link.up && (source === 'plan' || before?.link)) return `the controller is not reached: ${link.words}`
  const room = rooms.find(({ name, running }) => !running && before?.rooms.includes(name))
  if (room) return `${room.name} does not run: ${room.words}`
  // A decoy that the plan took away since is not missed.
  const down = decoys.filter(({ id, ready }) => !ready && before?.decoys.includes(id))
  if (down.length > 0) return `${down.length} of ${before?.decoys.length} decoys are not ready: ${down[0]?.words}`
  return undefined
}

import { InvalidArgumentError } from 'commander'

const minutesOf: Record<string, number> = { m: 1, h: 60, d: 1440 }

/** `30m`, `2h`, `7d` in minutes; an option's parser for commander. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,5})([mhd])$/.exec(text)
  if (!match) throw new InvalidArgumentError('Write it as 30m, 2h or 7d.')
  return Number(match[1]) * (minutesOf[match[2] ?? ''] ?? 0)
}

/** A number within bounds; an option's parser for commander. */
export const parseNumber = (least: number, most: number) => (text: string) => {
  const value = Number(text)
  if (text.trim() === '' || !(value >= least && value <= most))
    throw new InvalidArgumentError(`Give a number from ${least} to ${most}.`)
  return value
}

/** A time as the CLI shows it: `YYYY-MM-DD HH:MM:SSZ`, UTC. */
export const shownTime = (iso: string | null | undefined): string | undefined =>
  iso ? `${iso.slice(0, 10)} ${iso.slice(11, 19)}Z` : undefined

/** A path's query from what was given. */
export function withQuery(path: string, query: Record<string, string | number | boolean | undefined>): string {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)] as [string, string]],
  )
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}

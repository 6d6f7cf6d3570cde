import type { Random } from '../../shared/random.ts'

/** A minute as people write it into a crontab: mostly a round one. */
export const minutesOf = (random: Random): number =>
  random() < 0.6 ? Math.floor(random() * 12) * 5 : Math.floor(random() * 60)

const bounds = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const

/** Whether the five fields of crontab(5) are in bounds: numbers, `*`, ranges, lists, steps. */
export function isCronTime(text: string): boolean {
  const fields = text.split(' ')
  return (
    fields.length === 5 &&
    fields.every((field, i) => {
      const [low, high] = bounds[i] ?? [0, 0]
      return field.split(',').every((part) => {
        const match = /^(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part)
        if (!match) return false
        return [match[1], match[2]].every((n) => n === undefined || (Number(n) >= low && Number(n) <= high))
      })
    })
  )
}

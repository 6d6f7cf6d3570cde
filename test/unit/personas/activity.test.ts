import t from 'tap'
import { rhythmOf } from '../../../controller/personas/activity.ts'

const now = Date.parse('2026-11-21T05:00:00Z')
/** Means of a week whose hour `hour` of day `day` (Monday is 1) is as told. */
const week = (of: (day: number, hour: number) => number | null) =>
  Array.from({ length: 168 }, (_, slot) => of(Math.floor(slot / 24) + 1, slot % 24))
const office = week((day, hour) => (day <= 5 && hour >= 7 && hour < 17 ? 20 : 4))

t.test('hours and days are those of the time zone asked for', async (t) => {
  const days = [...'1111100'].map((one, i) => [i + 1, one === '1'])
  const rhythm = { from: 7, to: 17, days: new Map(days as [number, boolean][]) }
  t.match(rhythmOf(office, 'Etc/UTC', now), rhythm)
  t.match(rhythmOf(office, 'America/New_York', now), { from: 2, to: 12 })
  t.match(rhythmOf(office, 'Asia/Tokyo', now), { from: 16, to: 24 }, 'what goes on after midnight is another stretch')
  t.match(rhythmOf(office, 'Europe/Berlin', Date.parse('2026-07-01T00:00:00Z')), { from: 9, to: 19 }, 'summer time')
})

t.test('lunch does not end a day, nor does a backup at night begin one', async (t) => {
  const busy = (hour: number) => (hour >= 8 && hour < 18 && hour !== 12) || hour === 2
  t.match(
    rhythmOf(
      week((_, hour) => (busy(hour) ? 9 : 3)),
      'Etc/UTC',
      now,
    ),
    { from: 8, to: 18 },
  )
})

t.test('days that were not observed are not told of', async (t) => {
  const found = rhythmOf(
    office.map((value, slot) => (slot < 72 ? value : null)),
    'Etc/UTC',
    now,
  )
  if (typeof found === 'string') throw new Error(found)
  t.same([...found.days.keys()], [1, 2, 3])
})

t.test('without a rhythm there is a reason in words', async (t) => {
  const morning = office.map((value, slot) => (slot % 24 < 12 ? value : null))
  t.equal(rhythmOf(morning, 'Etc/UTC', now), '12 of 24 hours of the day were observed so far')
  const flat = week((_, hour) => 20 + (hour % 2))
  t.match(rhythmOf(flat, 'Etc/UTC', now), /as busy at night/)
  const backup = week((_, hour) => (hour === 2 ? 20 : 4))
  t.match(rhythmOf(backup, 'Etc/UTC', now), /for 1 hours at a time/)
})

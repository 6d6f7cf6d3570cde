/** Weeks and their hours, from Monday 00:00 UTC. Times are milliseconds since 1970. */

const hourMs = 3_600_000
export const weekMs = 168 * hourMs
/** 1970-01-05 was a Monday. */
const firstMonday = 4 * 24 * hourMs

export const hoursOfWeek = 168
/** The cell of a whole week. */
export const wholeWeek = -1

export const weekOf = (at: number): number => Math.floor((at - firstMonday) / weekMs)
export const hourOfWeek = (at: number): number => Math.floor((at - firstMonday - weekOf(at) * weekMs) / hourMs)

/** The same hour on each day of the week. */
export const sameHourOfDay = (hour: number): number[] => Array.from({ length: 7 }, (_, day) => day * 24 + (hour % 24))

import type { ControllerTime } from '../enrol/index.ts'

/** Nearer than this is near enough: certificates and claims do not look closer. */
export const slackMs = 30_000

/**
 * What this box's clock is to be set to, milliseconds since 1970; undefined: it stays. The order of trust:
 *
 *   a time server (NTP) -> the controller's clock, within its certificate's time and not before the floor -> the floor
 *
 * See docs/decisions/0022. `built`: when this program was made, which is before any moment in which it runs. `floor`: the
 * same, and of a box that belongs to somebody also when what it holds was signed, by a clock that may have been ahead:
 * a time server is not overruled by it.
 */
export function rightTime(o: {
  now: number
  built: number
  floor: number
  /** A time server set the clock. */
  synchronized: boolean
  told?: ControllerTime | undefined
}): number | undefined {
  const { now, built, floor, synchronized, told } = o
  if (synchronized && now >= built) return undefined
  if (told && told.at >= floor && told.at >= told.from && told.at <= told.until)
    return Math.abs(told.at - now) > slackMs ? told.at : undefined
  return now < floor ? floor : undefined
}

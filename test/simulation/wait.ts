import { MarshlightError } from '../../shared/errors.ts'

const everyMs = 100

/**
 * Asks `probe` until it gives something other than undefined. For facts that live in another container and announce
 * themselves to nobody here. Throws TIMEOUT saying `what` after `seconds`.
 */
export async function until<T>(
  what: string,
  seconds: number,
  probe: () => Promise<T | undefined>,
  onWait: (elapsedSeconds: number) => void = () => {},
): Promise<T> {
  const began = Date.now()
  for (;;) {
    const found = await probe()
    if (found !== undefined) return found
    const elapsed = (Date.now() - began) / 1000
    if (elapsed > seconds)
      throw new MarshlightError('TIMEOUT', { what, seconds, next: 'Run with --keep and look at the logs it names.' })
    onWait(elapsed)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

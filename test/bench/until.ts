import { setTimeout as delay } from 'node:timers/promises'

/** Asks again until it holds; throws after `seconds`. */
export async function until(holds: () => Promise<boolean> | boolean, what: string, seconds = 30): Promise<void> {
  const deadline = performance.now() + seconds * 1000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`)
    await delay(20)
  }
}

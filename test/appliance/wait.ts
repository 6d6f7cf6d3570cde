import { setTimeout as sleep } from 'node:timers/promises'
import type { Machine } from './machine.ts'

const askEveryMs = 500

/** Asks again until it is so; throws after `seconds`, or when the machine ends, with the end of what its console said. */
export async function until(
  machine: Machine,
  what: string,
  ask: () => Promise<boolean>,
  seconds: number,
): Promise<void> {
  let over: string | undefined
  void machine.ended.then((why) => {
    over = why
  })
  const end = performance.now() + seconds * 1000
  while (!(await ask().catch(() => false))) {
    if (over === undefined && performance.now() < end) await sleep(askEveryMs)
    else throw new Error(`${what}: ${over ?? `not so after ${seconds} s`}; the console’s end:\n${machine.lastLines()}`)
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { Box } from './box.ts'
import { agentsOf, claimed, connected } from './first-boot.ts'
import { acceleration } from './machine.ts'
import type { Place } from './place.ts'

/**
 * Seconds after power-on at which the mains go, on emulated processors: in the firmware, the kernel, while the data
 * partition grows, while services and the engine start for the first time, while the box claims.
 */
const moments = [6, 20, 32, 45, 60, 75, 95]
const withKvm = 0.15

/**
 * The mains go at each of these moments of the first boot, and once more as soon as the controller has the claim, when the
 * box may not know it yet. After that it is left alone, and has to become the one agent it was invited as.
 */
export async function cutDuringFirstBoot(
  place: Place,
  box: Box,
  name: string,
  { tell, onLine }: { tell: (line: string) => void; onLine?: (line: string) => void },
): Promise<void> {
  for (const seconds of moments) {
    const machine = await box.powerOn(onLine)
    const after = seconds * (acceleration() === 'kvm' ? withKvm : 1)
    await Promise.race([sleep(after * 1000), machine.ended])
    await machine.cut()
    tell(`           cut after ${after.toFixed(1)} s; agents so far: ${(await agentsOf(place)).length}`)
  }
  const machine = await box.powerOn(onLine)
  try {
    await claimed(place, machine, name)
  } finally {
    await machine.cut()
  }
  tell('           cut as the controller gave the certificate')
  const left = await box.powerOn(onLine)
  try {
    await connected(place, left, name)
    const agents = await agentsOf(place)
    if (agents.length !== 1) throw new Error(`one box is ${agents.length} agents: ${JSON.stringify(agents)}`)
    tell('           left alone: it is the agent it was invited as')
  } finally {
    await left.cut()
  }
}

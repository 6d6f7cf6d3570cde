import { reach } from '../../agent/cli/checks/controller.ts'
import { firstBootCommand } from '../../agent/cli/first-boot.ts'
import { lookFor } from '../../agent/first-boot/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { systemRandom } from '../../shared/random.ts'

/** The first boot's command on a box that was just switched on, with `card` in it, and one check of the doctor's. */
const { stateDir, card } = JSON.parse(process.argv[2] ?? '{}') as { stateDir: string; card: string }
const machine = {
  look: () => lookFor([{ path: card, where: 'the card' }]),
  uptimeMs: () => 0,
  checks: [reach],
}
process.exitCode = await firstBootCommand({ stateDir, clock: systemClock, random: systemRandom, machine })

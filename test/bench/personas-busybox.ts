import { measureDevice, stockPercent } from '../fidelity/measure.ts'
import { cleanedUp } from './clean-up.ts'
import type { Bench } from './row.ts'

/**
 * How many lines of the corpus for small devices the decoy answers as the real BusyBox whose device it pretends to be,
 * refusals included; stock Cowrie beside it.
 */
export const personasBusyboxBench: Bench = {
  names: ['fidelity.busybox_agreement'],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const found = await measureDevice({ teardown: cleanUp.add }, progress, (judge) => {
        progress('the same lines on stock Cowrie')
        return stockPercent(judge)
      })
      return [
        {
          name: 'fidelity.busybox_agreement',
          value: found.oursPercent,
          unit: '%',
          better: 'higher',
          target: 90,
          reference: found.more,
        },
      ]
    }),
}

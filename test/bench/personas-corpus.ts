import { measureCorpus, stockPercent } from '../fidelity/measure.ts'
import { cleanedUp } from './clean-up.ts'
import type { Bench } from './row.ts'

/** How many lines of the corpus the decoy answers as the real host it pretends to be; stock Cowrie beside it. */
export const personasCorpusBench: Bench = {
  names: ['fidelity.corpus_agreement'],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const found = await measureCorpus({ teardown: cleanUp.add }, 'db-srv-07', progress, (judge) => {
        progress('the same lines on stock Cowrie')
        return stockPercent(judge)
      })
      return [
        {
          name: 'fidelity.corpus_agreement',
          value: found.oursPercent,
          unit: '%',
          better: 'higher',
          target: 90,
          reference: found.more,
        },
      ]
    }),
}

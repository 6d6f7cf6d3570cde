import { type StackSeen, stackClasses } from '../fidelity/stack-classes.ts'
import { makeSegment } from '../lab/decoys-segment.ts'
import { cleanedUp } from './clean-up.ts'
import type { Bench } from './row.ts'

const third = 237

/**
 * Of the network stacks that a persona may have: the part whose class of system `nmap -O` sees, and the part of which the
 * persona says the truth about that (`marshlight personas explain`).
 */
export const personasStacksBench: Bench = {
  names: ['fidelity.os_class_reached', 'fidelity.os_class_told'],
  run: async (progress) => {
    const seen = await stacksSeen()
    for (const one of seen) progress(inWords(one))
    const percent = (fits: (one: StackSeen) => boolean) => (100 * seen.filter(fits).length) / seen.length
    const row = { unit: '%', better: 'higher' as const, reference: null }
    return [
      { ...row, name: 'fidelity.os_class_reached', value: percent(({ reached }) => reached), target: null },
      { ...row, name: 'fidelity.os_class_told', value: percent(isTold), target: 100 },
    ]
  },
}

export const stacksSeen = (): Promise<StackSeen[]> =>
  cleanedUp((cleanUp) => stackClasses({ teardown: cleanUp.add }, makeSegment({ teardown: cleanUp.add }, third)))

/** Either the class is reached, or the persona says that it is not. */
export const isTold = ({ reached, told }: StackSeen): boolean => reached === (told === undefined)

const inWords = (one: StackSeen) =>
  `${one.stack} (${one.family}): ${one.said} ${one.accuracy} %, ${one.reached ? 'as wanted' : `not ${one.wanted}`}; ${one.told ?? 'nothing is said of the class'}`

import { hostedFamilies } from '../fidelity/hosted-families.ts'
import { differencesInWords, percentEqual } from '../fidelity/scan-agreement.ts'
import { type Side, scanSideBySide } from '../fidelity/scan-side-by-side.ts'
import { makeSegment } from '../lab/decoys-segment.ts'
import { cleanedUp } from './clean-up.ts'
import type { Bench, Row } from './row.ts'

const third = 236

/**
 * Lines of `nmap -sV -O` that are equal of a real host and of the decoy beside it, for each family that a Debian machine hosts
 * for real: the mean. The reference is stock Cowrie beside the host that only has SSH. `npm run side-by-side` prints them.
 */
export const personasScanBench: Bench = {
  names: ['fidelity.scan_equal'],
  run: async (progress) => {
    const sides = await sidesOf(progress)
    for (const { family, compared } of sides) {
      progress(`${family.name}: ${percentEqual(compared).toFixed(1)} %`)
      for (const words of differencesInWords(compared)) progress(`  ${words}`)
    }
    return [rowOf(sides)]
  },
}

export const sidesOf = (progress: (what: string) => void, families = hostedFamilies): Promise<Side[]> =>
  cleanedUp((cleanUp) => {
    const t = { teardown: cleanUp.add }
    return scanSideBySide(t, makeSegment(t, third), families, progress)
  })

export function rowOf(sides: readonly Side[]): Row {
  const stock = sides.find((one) => one.stock)?.stock
  const value = sides.reduce((sum, { compared }) => sum + percentEqual(compared), 0) / sides.length
  const reference = stock ? percentEqual(stock) : null
  return { name: 'fidelity.scan_equal', value, unit: '%', better: 'higher', target: 95, reference }
}

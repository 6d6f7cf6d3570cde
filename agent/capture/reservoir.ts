import type { Random } from '../../shared/random.ts'
import type { SampleFeature } from '../../shared/schemas/baseline.ts'

const most = 512

/** An even draw of at most 512 of however many numbers (Vitter 1985, algorithm R). */
export function makeReservoir(unit: SampleFeature['unit'], random: Random) {
  const values: number[] = []
  let n = 0
  return {
    add(value: number): void {
      n++
      if (values.length < most) values.push(value)
      else {
        const place = Math.floor(random() * n)
        if (place < most) values[place] = value
      }
    },
    feature: (): SampleFeature => ({ form: 'sample', unit, n, values: [...values] }),
  }
}

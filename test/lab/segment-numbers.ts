import { readdirSync } from 'node:fs'
import { basename } from 'node:path'

/** Numbers of each file. The simulations' networks lie below, those of `Lab` and the benchmarks' segments above. */
const [first, each, last] = [64, 3, 199]
let given = 0

/**
 * The N of a network 198.18.N.0/24 that no other test file of this folder has, since the engine gives a range to one network
 * only and files run side by side. The same ones at every run, so that a test finds what a killed run of it left.
 */
export function nextNumber(): number {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'))
  const file = basename(process.argv[1] ?? '')
  const at = files.sort().indexOf(file)
  if (at < 0) throw new Error(`${file} is no test of the lab: it names the number of its segment itself`)
  if (given === each) throw new Error(`${file} has more than ${each} segments`)
  const number = first + at * each + given++
  if (number > last) throw new Error(`no number is left for ${file}: up to ${last}`)
  return number
}

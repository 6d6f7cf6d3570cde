import type { Test } from 'tap'
import { Lab } from '../lab/cowrie-pod.ts'
import { answersOf, percentOf, type Verdict, verdicts } from './agreement.ts'
import { readCorpus } from './corpus.ts'
import { startRealHost } from './real-host.ts'
import { startStockCowrie } from './stock-cowrie.ts'

export type Measured = { ours: Verdict[]; stock: Verdict[]; oursPercent: number; stockPercent: number }

/**
 * The corpus on a real host, on the decoy that pretends to be it, and on stock Cowrie: all three are on one network
 * without a way out, and the same client types to each.
 */
export async function measureCorpus(
  t: Pick<Test, 'teardown'>,
  hostname: string,
  progress: (what: string) => void = () => {},
): Promise<Measured> {
  const lines = await readCorpus()
  const real = await startRealHost({ container: `fidelity-real-${process.pid}`, hostname })
  const lab = await Lab.start(t as Test, await real.describe()).catch(async (error) => {
    await real.remove()
    throw error
  })
  await real.join(lab.name, `${lab.subnet}.30`)
  // The network goes only when nothing is on it.
  lab.beforeStop(() => real.remove())
  const stock = await startStockCowrie({
    container: `fidelity-stock-${process.pid}`,
    network: lab.name,
    address: `${lab.subnet}.40`,
  })
  lab.beforeStop(() => stock.remove())
  progress(`${lines.length} lines on the real host`)
  const truth = await answersOf(lab.attacker, { address: `${lab.subnet}.30`, ...real }, lines)
  progress(`${lines.length} lines on the decoy`)
  const ours = verdicts(lines, truth, await answersOf(lab.attacker, { address: lab.decoy, ...real }, lines))
  progress(`${lines.length} lines on stock Cowrie`)
  const theirs = { address: `${lab.subnet}.40`, user: stock.user, password: stock.password }
  const others = verdicts(lines, truth, await answersOf(lab.attacker, theirs, lines))
  return { ours, stock: others, oursPercent: percentOf(ours), stockPercent: percentOf(others) }
}

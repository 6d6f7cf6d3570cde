import type { Test } from 'tap'
import { Lab } from '../lab/cowrie-pod.ts'
import { answersOf, percentOf, type Target, type Verdict, verdicts } from './agreement.ts'
import { type Line, readCorpus, readDeviceCorpus } from './corpus.ts'
import { startRealDevice } from './real-device.ts'
import { type RealHost, startRealHost } from './real-host.ts'
import { startStockCowrie } from './stock-cowrie.ts'

/** The laboratory that stands, and what holds another target against the real host. */
export type Judge = { lab: Lab; verdicts(target: Target): Promise<Verdict[]> }

export type Measured = { ours: Verdict[]; oursPercent: number }

/**
 * The corpus on a real host, on the decoy that pretends to be it, and then on what `more` brings: all are on one network
 * without a way out, and the same client types to each. `some`: the lines to take of it, in their order.
 */
export async function measureCorpus<T>(
  t: Pick<Test, 'teardown'>,
  hostname: string,
  progress: (what: string) => void,
  more: (judge: Judge) => Promise<T>,
  some: (corpus: Line[]) => Line[] = (corpus) => corpus,
): Promise<Measured & { more: T }> {
  const real = await startRealHost({ container: `fidelity-real-${process.pid}`, hostname })
  return measure(t, real, some(await readCorpus()), progress, more)
}

/** The same of a device whose every command is BusyBox, with what it says of errors. */
export async function measureDevice<T>(
  t: Pick<Test, 'teardown'>,
  progress: (what: string) => void,
  more: (judge: Judge) => Promise<T>,
  some: (corpus: Line[]) => Line[] = (corpus) => corpus,
): Promise<Measured & { more: T }> {
  const real = await startRealDevice({ container: `fidelity-device-${process.pid}`, hostname: 'gw-lab-02' })
  return measure(t, real, some(await readDeviceCorpus()), progress, more)
}

async function measure<T>(
  t: Pick<Test, 'teardown'>,
  real: RealHost,
  lines: Line[],
  progress: (what: string) => void,
  more: (judge: Judge) => Promise<T>,
): Promise<Measured & { more: T }> {
  const lab = await Lab.start(t as Test, await real.describe()).catch(async (error) => {
    await real.remove()
    throw error
  })
  await real.join(lab.name, `${lab.subnet}.30`)
  // The network goes only when nothing is on it.
  lab.beforeStop(() => real.remove())
  progress(`${lines.length} lines on the real host and on the decoy`)
  // At the same time, so that neither waits for what the other waits for.
  const [truth, answers] = await Promise.all(
    [`${lab.subnet}.30`, lab.decoy].map((address) => answersOf(lab.attacker, { address, ...real }, lines)),
  )
  if (!truth || !answers) throw new Error('two targets')
  const ours = verdicts(lines, truth, answers)
  const judged = await more({
    lab,
    verdicts: async (target) => verdicts(lines, truth, await answersOf(lab.attacker, target, lines)),
  })
  return { ours, oursPercent: percentOf(ours), more: judged }
}

/** The same lines on stock Cowrie, on the same network: percent of those it answers as the real host does. */
export async function stockPercent({ lab, verdicts }: Judge): Promise<number> {
  const address = `${lab.subnet}.40`
  const stock = await startStockCowrie({ container: `fidelity-stock-${process.pid}`, network: lab.name, address })
  lab.beforeStop(() => stock.remove())
  return percentOf(await verdicts({ address, user: stock.user, password: stock.password }))
}

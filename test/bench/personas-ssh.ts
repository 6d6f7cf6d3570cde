import { compareSsh, offerOf } from '../fidelity/ssh-agreement.ts'
import { dropbear, openssh, type Software, startStockCowrie } from '../fidelity/ssh-hosts.ts'
import { startSideBySide } from '../fidelity/ssh-side-by-side.ts'
import type { Target } from '../fidelity/ssh-transcript.ts'
import { cleanedUp } from './clean-up.ts'
import type { Bench, Row } from './row.ts'

/**
 * How far SSH of a decoy is that of the server it plays: the name lists of the KEXINIT that are equal, names and order,
 * and the probes that are answered the same, message by message. Beside each the figure of Cowrie as its package comes, told to
 * announce the same banner.
 */
export const personasSshBench: Bench = {
  names: [
    'fidelity.algorithms_equal',
    'fidelity.transport_probes_equal',
    'fidelity.dropbear_algorithms_equal',
    'fidelity.dropbear_probes_equal',
  ],
  run: async (progress) => [
    ...(await measured(openssh, 'algorithms_equal', 'transport_probes_equal', progress)),
    ...(await measured(dropbear, 'dropbear_algorithms_equal', 'dropbear_probes_equal', progress)),
  ],
}

const measured = (software: Software, lists: string, answers: string, progress: (what: string) => void) =>
  cleanedUp(async (cleanUp) => {
    const scope = { teardown: cleanUp.add }
    const { lab, real, decoy, ssh } = await startSideBySide(scope, software)
    const stock = await startStockCowrie(scope, lab, ssh.banner)
    const offers = [await sameLists(real, decoy), await sameLists(real, stock)] as const
    progress(`${software.probes.length} probes of ${ssh.banner}, of the decoy and of stock Cowrie`)
    const probes = [
      await sameAnswers(real, decoy, software, progress),
      await sameAnswers(real, stock, software),
    ] as const
    return [row(lists, offers), row(answers, probes)]
  })

const row = (name: string, [value, reference]: readonly [number, number]): Row => ({
  name: `fidelity.${name}`,
  value,
  unit: '%',
  better: 'higher',
  target: 100,
  reference,
})

const percent = (flags: readonly boolean[]) => (100 * flags.filter(Boolean).length) / flags.length

async function sameLists(real: Target, other: Target): Promise<number> {
  const [ours, theirs] = await Promise.all([offerOf(other), offerOf(real)])
  return percent(theirs.lists.map((names, i) => names.join() === ours.lists[i]?.join()))
}

async function sameAnswers(
  real: Target,
  other: Target,
  { probes, atATime }: Software,
  progress?: (what: string) => void,
): Promise<number> {
  const compared = await compareSsh(real, other, probes, atATime)
  const differing = compared.filter(({ equal }) => !equal).map(({ name }) => name)
  if (differing.length > 0) progress?.(`answered otherwise: ${differing.join(', ')}`)
  return percent(compared.map(({ equal }) => equal))
}

import { execFile } from 'node:child_process'
import { holds, type Probe } from '../look.ts'
import { cardName } from '../place.ts'

/** Machines, by MAC, that answer who has an address: as many lines as answers. Pure. */
export const answerersIn = (output: string): string[] =>
  [...output.matchAll(/reply from \S+ \[([0-9A-F:]{17})\]/gi)].map((match) => (match[1] as string).toLowerCase())

/** Whether it answers ARP as a host does: to each question, once, by one MAC, also to a probe without an address (RFC 5227). */
export const arp: Probe = {
  area: 'arp',
  name: 'arp',
  async look({ decoy }) {
    const [asked, probed] = [await arping(['-c', '2'], decoy.ip), await arping(['-D', '-c', '1'], decoy.ip)]
    const all = [...new Set([...asked, ...probed])]
    return [
      holds(
        'arp.answers',
        asked.length === 2,
        `${asked.length} answers`,
        '2 answers',
        'it does not answer each question once',
      ),
      holds('arp.probe', probed.length > 0, `${probed.length} answers`, 'an answer', 'it does not defend its address'),
      holds(
        'arp.one',
        all.length === 1 && all[0] === decoy.mac,
        all,
        [decoy.mac],
        'more than one machine has its address',
      ),
    ]
  },
}

/** Exit codes tell whether somebody answered; that is counted here. */
const arping = (options: string[], ip: string): Promise<string[]> =>
  new Promise((resolve) => {
    execFile('arping', [...options, '-w', '3', '-I', cardName, ip], { timeout: 6000 }, (_error, stdout) =>
      resolve(answerersIn(stdout)),
    )
  })

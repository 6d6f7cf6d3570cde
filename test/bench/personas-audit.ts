import { builtPersona, makeAuditLab } from '../lab/audit-lab.ts'
import { decoyOf, makeAppliance, planOf, settled } from '../lab/decoys-appliance.ts'
import { makeSegment } from '../lab/decoys-segment.ts'
import { plugStockCowrie } from '../lab/stock-cowrie-host.ts'
import { cleanedUp } from './clean-up.ts'
import type { Bench } from './row.ts'
import { plugHosts } from './segment-hosts.ts'

const third = 234
/** Systems that a decoy plays here: of the real hosts' own kind, and of two others. */
const families = ['debian-12', 'ubuntu-22.04', 'rocky-9']

/**
 * The audit's score of our decoys, from a neighbour's place, beside two real hosts with sshd: the mean of three personas
 * as the controller builds them. The reference is stock Cowrie, in the same segment and run, audited as the first of
 * these personas: same address space, port, maker of the card, the same probes and weights.
 */
export const personasAuditBench: Bench = {
  names: ['audit.our_score'],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const t = { teardown: cleanUp.add }
      const segment = makeSegment(t, third)
      await plugHosts(cleanUp, segment, ['ssh', 'ssh'])
      const at = (host: number) => segment.cidr.replace('0/24', String(host))
      const beside = [20, 21].map((host) => ({ ip: at(host), names: [], ports: [22], systemFamily: 'Linux' }))
      const personas = []
      for (const [i, family] of families.entries()) personas.push(await builtPersona(family, `files-${i + 1}`))
      const [first] = personas
      if (!first) throw new Error('no persona')
      const tail = (host: number) => `10:00:${host.toString(16)}`
      const wanted = personas.map(({ id, hostname, mac }, i) =>
        decoyOf(segment, 40 + i, hostname, { persona: id, mac: `${mac.oui}:${tail(40 + i)}` }),
      )
      const stock = decoyOf(segment, 50, first.hostname, { persona: first.id, mac: `${first.mac.oui}:${tail(50)}` })
      plugStockCowrie(t, segment, { address: stock.ip, mac: stock.mac })
      const { agent, decoys, reported } = await makeAppliance(t, segment)
      await decoys.start(new AbortController().signal)
      decoys.applyPlan(planOf(agent, 1, wanted, personas))
      await reported(settled(1), 0, 90)
      progress(`${wanted.length} decoys and a stock Cowrie stand`)
      const plan = planOf(agent, 1, [...wanted, stock], personas)
      const lab = makeAuditLab(segment, () => plan)
      const scores: number[] = []
      for (const [i, { id, hostname }] of [...wanted, stock].entries()) {
        const { score, findings } = await lab.audit(id, lab.fromAt(100 + i), beside)
        const named = (wanted: string) => findings.filter(({ verdict }) => verdict === wanted).map(({ probe }) => probe)
        const equal = named('equal').length
        const words = ['differs', 'unknown'].map((word) => `${word}: ${named(word).join(' ') || 'nothing'}`).join('; ')
        const who = id === stock.id ? 'stock Cowrie' : `${hostname} as ${families[i]}`
        progress(`${who}: ${score}; ${equal} equal; ${words}`)
        scores.push(score)
      }
      const reference = scores.pop() ?? Number.NaN
      const value = scores.reduce((sum, score) => sum + score, 0) / scores.length
      return [{ name: 'audit.our_score', value, unit: 'of 100', better: 'higher', target: 90, reference }]
    }),
}

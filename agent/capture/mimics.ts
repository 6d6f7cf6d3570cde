import type { MimicryPlan } from '../../shared/schemas/mimicry.ts'
import { numberOf, tcp } from './decode.ts'

/** What a decoy's mimicry talks to; and by the port that a conversation leaves from, which instance has it. */
export type Mimics = {
  instances: number
  isTo(protocol: number, address: number, port: number): boolean
  instanceOf(ownPort: number): number
}

/** As `mimic_ports.py` in a pod draws ports: each instance has those that leave its number when divided by how many there are. */
export function mimicsOf({ targets, instantiations }: Pick<MimicryPlan, 'targets' | 'instantiations'>): Mimics {
  const places = new Set(targets.map(({ ip, port, proto }) => `${proto} ${numberOf(ip)} ${port}`))
  return {
    instances: instantiations,
    isTo: (protocol, address, port) => places.has(`${protocol === tcp ? 'tcp' : 'udp'} ${address} ${port}`),
    instanceOf: (ownPort) => ownPort % instantiations,
  }
}

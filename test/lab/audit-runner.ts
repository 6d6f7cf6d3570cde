import { newId } from '../../shared/ids.ts'
import { builtPersona, makeAuditLab } from './audit-lab.ts'
import { decoyOf, planOf } from './decoys-appliance.ts'

/** Audits a decoy that is not there on a card, until it is killed: `audit-runner.ts NIC CIDR`. */
const [nic = '', cidr = ''] = process.argv.slice(2)
const segment = { nic, cidr } as Parameters<typeof makeAuditLab>[0]
const persona = await builtPersona('debian-12', 'attic-web')
const decoy = decoyOf(segment, 40, persona.hostname, { persona: persona.id })
const lab = makeAuditLab(segment, () => planOf(newId(), 1, [decoy], [persona]))
await lab.audit(decoy.id, lab.fromAt(100), [])

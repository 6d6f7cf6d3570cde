import { join } from 'node:path'
import { makeAudits, makePlaces } from '../../agent/audit/index.ts'
import { makeOwnLooks } from '../../agent/audit/own-looks.ts'
import { makeArp } from '../../agent/decoys/index.ts'
import type { Report } from '../../agent/spool/port.ts'
import { build, loadOuis, readCatalogue, templateOf } from '../../controller/personas/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { newId } from '../../shared/ids.ts'
import { makeLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import type { AuditReport } from '../../shared/schemas/audit.ts'
import type { AuditNeighbour, Plan, Vantage } from '../../shared/schemas/desired-state.ts'
import type { Persona } from '../../shared/schemas/persona.ts'
import type { Segment } from './decoys-segment.ts'

const program = join(import.meta.dirname, '../../agent/main.ts')

/** The room that audits, with the program of this tree, on a segment's card; and what it reported. */
export function makeAuditLab(segment: Segment, plan: () => Plan | undefined) {
  const log = makeLog('audit-lab', process.env.LAB_LOG ? 'debug' : 'silent')
  const common = { log, clock: systemClock, random: systemRandom }
  const reports: AuditReport[] = []
  const looks = makeOwnLooks(common)
  const report: Report = async (_, records) => void reports.push(...(records as readonly AuditReport[]))
  const audits = makeAudits({
    ...common,
    plan,
    nics: async () => [{ nic: segment.nic, cidr: segment.cidr }],
    whoHas: makeArp(common).check,
    namesOf: async () => new Map(),
    runJob: makePlaces({ log, command: [process.execPath, program, 'audit-probe'] }),
    looking: looks.begun,
    report,
  })
  const fromAt = (host: number): Vantage => ({
    ip: segment.cidr.replace('0/24', String(host)),
    mac: `3c:ec:ef:10:20:${host.toString(16).padStart(2, '0')}`,
    portFrom: 41_000,
    portTo: 42_023,
  })

  async function audit(decoy: string, from: Vantage, beside: AuditNeighbour[]): Promise<AuditReport> {
    await audits.audit({ name: 'audit', audit: newId(), decoy, from, beside }, newId())
    return reports.at(-1) as AuditReport
  }
  return { audits, audit, fromAt, looks, reports }
}

export const verdictOf = ({ findings }: AuditReport, probe: string): string | undefined =>
  findings.find((one) => one.probe === probe)?.verdict

/** A persona as the controller builds it, for a host like these neighbours. */
export async function builtPersona(
  family: string,
  hostname: string,
  seed = '00112233445566778899aabbccddeeff',
): Promise<Persona> {
  const catalogue = readCatalogue()
  const template = templateOf(catalogue, family)
  if (!template) throw new Error(`no family ${family}`)
  const given = { id: newId(), seed, template, because: 'a test', now: Date.now() }
  const built = build({ ...given, neighbours: [], taken: new Set() }, catalogue, await loadOuis())
  const user = built.users.find(({ name }) => name === 'root') ?? built.users[0]
  const users = built.users.map((one) => (one === user ? { ...one, passwords: ['Sommer2024'], acceptFromTry: 1 } : one))
  // Only SSH is deployed here: a persona with more would be told apart by what is missing.
  return { ...built, hostname, users, services: [] }
}

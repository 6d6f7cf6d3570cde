import { auditScore } from '../../shared/audit-score.ts'
import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import { canonicalCidr, contains, parseNetwork } from '../../shared/network.ts'
import type { AuditFinding, AuditReport } from '../../shared/schemas/audit.ts'
import type { DesiredDecoy, Plan, Reply, Request, Vantage } from '../../shared/schemas/desired-state.ts'
import type { Persona } from '../../shared/schemas/persona.ts'
import type { Report } from '../spool/port.ts'
import type { Job, Told } from './job.ts'
import type { RunJob } from './place.ts'
import { weigh } from './weights.ts'

type AuditOp = Extract<Request['op'], { name: 'audit' }>
type TouchOp = Extract<Request['op'], { name: 'touch' }>
type Answer = Pick<Reply, 'ok' | 'result'>

export type AuditsDeps = {
  /** The plan in force. */
  plan: () => Plan | undefined
  nics: () => Promise<{ nic: string; cidr: string }[]>
  /** The MAC of a host that has an address, or undefined. */
  whoHas: (nic: string, ip: string) => Promise<string | undefined>
  /** Names of addresses by reverse DNS. */
  namesOf: (ips: readonly string[]) => Promise<Map<string, string[]>>
  runJob: RunJob
  report: Report
  /** A look at a decoy begins; what it returns is called at its end. */
  looking?: (decoy: string, from: Vantage) => () => void
  clock: Clock
  log: Log
}

/** An audit looks at some forty things and waits for what does not answer; a touch is one connection. */
const auditWithinMs = 240_000
const touchWithinMs = 25_000

export interface Audits {
  /** Looks at a decoy from a neighbour's place and reports it. Throws ADDRESS_TAKEN, NOT_FOUND, SEGMENT_UNKNOWN, CONFLICT. */
  audit(op: AuditOp, request: string): Promise<Answer>
  /** One connection and log-in attempt. Throws as `audit`. */
  touch(op: TouchOp): Promise<Answer>
  stop(): Promise<void>
}

/** Audits and touches that the controller asked for, one at a time: each has the segment's card for itself. */
export function makeAudits(deps: AuditsDeps): Audits {
  const { clock, log } = deps
  const stopping = new AbortController()
  let busy: Promise<unknown> | undefined

  /** The decoy as it shall be, and the card of its segment; the address is checked, as close before its use as can be. */
  async function groundOf(decoyId: string, from: Vantage) {
    const plan = deps.plan()
    const decoy = plan?.decoys.find(({ id }) => id === decoyId)
    if (!plan || !decoy)
      throw new MarshlightError('NOT_FOUND', { kind: 'decoy', value: decoyId, command: 'marshlight decoys ls' })
    const persona = personaOf(plan, decoy)
    const { cidr } = decoy
    const nic = (await deps.nics()).find((one) => canonicalCidr(one.cidr) === canonicalCidr(cidr))?.nic
    if (nic === undefined) throw new MarshlightError('SEGMENT_UNKNOWN', { cidr })
    if (!contains(cidr, from.ip)) throw new MarshlightError('TARGET_OUTSIDE', { target: from.ip, cidr })
    const mac = await deps.whoHas(nic, from.ip)
    if (mac !== undefined) throw new MarshlightError('ADDRESS_TAKEN', { ip: from.ip, mac })
    return { plan, decoy, persona, nic, prefix: parseNetwork(cidr).prefix }
  }

  async function alone<T>(work: () => Promise<T>): Promise<T> {
    if (busy) throw new MarshlightError('CONFLICT', { what: 'another audit runs here', next: 'Wait for its end.' })
    const running = work()
    busy = running.catch(() => undefined)
    try {
      return await running
    } finally {
      busy = undefined
    }
  }

  async function carryOut(nic: string, job: Job, timeoutMs: number, onTold: (one: Told) => void): Promise<number> {
    const began = clock.now()
    log.info({ do: job.do, decoy: job.decoy.id, from: job.from.ip }, 'looking at a decoy from a neighbour’s place')
    const over = deps.looking?.(job.decoy.id, job.from)
    try {
      await deps.runJob(nic, job, { timeoutMs }, onTold, stopping.signal)
    } finally {
      over?.()
    }
    return clock.now() - began
  }

  return {
    audit: (op, request) =>
      alone(async () => {
        const { plan, decoy, persona, nic, prefix } = await groundOf(op.decoy, op.from)
        const beside = op.beside.filter(({ ip }) => contains(decoy.cidr, ip))
        const names = Object.fromEntries(await deps.namesOf([decoy.ip, ...beside.map(({ ip }) => ip)]))
        const findings: AuditFinding[] = []
        const job: Job = { do: 'audit', from: op.from, prefix, decoy, persona, beside, names }
        const tookMs = await carryOut(nic, job, auditWithinMs, (one) => {
          if (one.type === 'finding' && findings.length < 256) findings.push(weigh(one.finding))
        })
        const record: AuditReport = {
          type: 'audit',
          at: isoNow(clock),
          id: op.audit,
          decoy: decoy.id,
          persona: persona.id,
          personaVersion: persona.version,
          revision: plan.revision,
          request,
          score: auditScore(findings),
          beside: beside.map(({ ip }) => ip),
          findings,
          tookMs,
        }
        await deps.report('state', [record])
        log.info({ decoy: decoy.id, score: record.score, tookMs }, 'audited a decoy')
        return { ok: true, result: { audit: op.audit, score: record.score } }
      }),
    touch: (op) =>
      alone(async () => {
        const { decoy, persona, nic, prefix } = await groundOf(op.decoy, op.from)
        const job: Job = { ...op, do: 'touch', prefix, decoy, persona }
        let result: Record<string, unknown> = {}
        await carryOut(nic, job, touchWithinMs, (one) => {
          if (one.type === 'touched') result = { at: one.at, port: one.port, login: one.login, answer: one.answer }
        })
        return { ok: true, result }
      }),
    async stop() {
      stopping.abort(new Error('the agent stops'))
      await busy
    },
  }
}

function personaOf(plan: Plan, { persona, personaVersion }: DesiredDecoy): Persona {
  const found = plan.personas.find(({ id, version }) => id === persona && version === personaVersion)
  if (!found)
    throw new MarshlightError('NOT_FOUND', { kind: 'persona', value: persona, command: 'marshlight personas ls' })
  return found
}

import type { DecoyPhase } from '../../shared/schemas/state.ts'
import type { Origin } from './records.ts'

/** What placement looks at in one segment. Times in milliseconds since 1970. */
export type Situation = {
  segment: string
  name: string
  /** Appliances that can take a decoy here now: enrolled, online, with the role, and on a known network. */
  agents: readonly { id: string; decoys: number }[]
  /** End of the first pass of each depth that ended well. */
  quickDone?: number
  detailDone?: number
  decoys: readonly {
    id: string
    hostname: string
    origin: Origin
    agentRevoked: boolean
    /** The phase at the address that it shall have; a state from an earlier address is none. */
    phase?: DecoyPhase
    phaseReason?: string
    tries: number
    createdAt: number
    retireAt?: number
  }[]
  /** Decoys given up in the last hour: they count, so that a segment that no decoy can live in is not tried for ever. */
  givenUp: number
  /** When the segment last had no free address. */
  noAddressAt?: number
}

export type Wanted = { perSegment: number; waitForDetailMs: number }

export type Step =
  | { type: 'deploy'; segment: string; agent: string; because: string }
  | { type: 'readdress'; decoy: string; because: string }
  | { type: 'give-up'; decoy: string; because: string }
  | { type: 'retire'; decoy: string; because: string }

/** Addresses a decoy may lose before it is given up. */
export const mostTries = 3
/** After a segment had no free address it is left alone for so long. */
export const noAddressPauseMs = 600_000
/** Without details the second and further decoys wait this many times as long as the first. */
const patience = 10

/**
 * The next steps towards the wanted number of decoys in one segment, and when to look again if nothing changes before.
 * Pure; one look gives at most one new decoy, after which it is asked again.
 *
 *   no quick pass yet           -> wait
 *   quick pass, no details      -> wait for details, up to waitForDetailMs; then one decoy, the rest with the details
 *   details                     -> the wanted number
 *   address lost or refused     -> another address, up to mostTries, then give up
 *   seen to be unsafe           -> nothing, and nothing in its place: it waits for an administrator
 *   time to go, appliance gone  -> retire
 */
export function decide(current: Situation, wanted: Wanted, now: number): { steps: Step[]; nextAt?: number } {
  const steps: Step[] = []
  const times: number[] = []
  const staying = new Set(current.decoys.map(({ id }) => id))
  const leave = (step: Extract<Step, { decoy: string }>) => {
    steps.push(step)
    staying.delete(step.decoy)
  }
  for (const decoy of current.decoys) {
    if (decoy.agentRevoked) leave({ type: 'retire', decoy: decoy.id, because: 'its appliance was revoked' })
    else if (decoy.phase === 'condemned') continue
    else if (decoy.retireAt !== undefined && decoy.retireAt <= now)
      leave({ type: 'retire', decoy: decoy.id, because: 'its time was over: decoys come and go at random times' })
    else if (decoy.phase === 'withdrawn' || decoy.phase === 'rejected') {
      const because = `it was ${decoy.phase}: ${decoy.phaseReason ?? 'no reason given'}`
      if (decoy.tries >= mostTries)
        leave({ type: 'give-up', decoy: decoy.id, because: `${because}; ${decoy.tries} addresses were tried` })
      else steps.push({ type: 'readdress', decoy: decoy.id, because })
    }
    if (decoy.retireAt !== undefined && decoy.retireAt > now) times.push(decoy.retireAt)
  }
  const own = current.decoys.filter(({ id, origin }) => origin === 'placement' && staying.has(id))
  const surplus = [...own]
    .sort((a, b) => b.createdAt - a.createdAt)
    .slice(0, Math.max(0, own.length - wanted.perSegment))
  for (const { id } of surplus)
    leave({
      type: 'retire',
      decoy: id,
      because: `the segment shall have ${wanted.perSegment} decoys, it has ${own.length}`,
    })

  const givingUp = steps.filter(({ type }) => type === 'give-up').length
  const missing = wanted.perSegment - own.length - current.givenUp - givingUp
  const deploy = missing > 0 ? mayDeploy(current, wanted, own.length, now) : undefined
  if (deploy?.step) steps.push(deploy.step)
  if (deploy?.at !== undefined) times.push(deploy.at)
  return { steps, ...(times.length > 0 && { nextAt: Math.min(...times) }) }
}

function mayDeploy(
  { segment, name, agents, quickDone, detailDone, noAddressAt }: Situation,
  { perSegment, waitForDetailMs }: Wanted,
  has: number,
  now: number,
): { step?: Step; at?: number } {
  const [agent] = [...agents].sort((a, b) => a.decoys - b.decoys || a.id.localeCompare(b.id))
  if (!agent || quickDone === undefined) return {}
  if (noAddressAt !== undefined && now < noAddressAt + noAddressPauseMs) return { at: noAddressAt + noAddressPauseMs }
  const readyAt = quickDone + waitForDetailMs * (has === 0 ? 1 : patience)
  if (detailDone === undefined && now < readyAt) return { at: readyAt }
  const knowing = detailDone === undefined ? 'details of its hosts did not come in time' : 'its hosts are known'
  const because = `segment ${name} shall have ${perSegment} decoys, it has ${has}; ${knowing}`
  return { step: { type: 'deploy', segment, agent: agent.id, because } }
}

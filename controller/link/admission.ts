import { makePlaces, type Seen, usualPlaces } from './places.ts'
import type { Arrivals } from './port.ts'

/** Who asks to be let in: a connection of which nothing was read yet. */
export type Newcomer = { address: string; enter(): void; turnAway(): void }

export type AdmissionLimits = {
  /** Newcomers that are on their way in at a time, from the handshake to the end of their hello; by load where not given. */
  atOnce?: number | undefined
  /** How many wait for that, and how long at most, milliseconds: less than an agent waits for an answer. */
  waiting: number
  waitMs: number
}

export type AdmissionStanding = Omit<Arrivals, 'connected'>

type Ticket = { newcomer: Newcomer; since: number; at: 'waiting' | 'inside' | 'gone' }

/** Each that waits is a socket of which nothing was read; an agent gives an attempt up after 30 s, in which it also has to come in. */
export const usualAdmission: AdmissionLimits = { waiting: 4096, waitMs: 15_000 }
/** While work of those who are in waits, newcomers come in by so many. */
const underLoad = 16
/**
 * One that takes longer goes on, but keeps its place from nobody: a slow line, or one who says nothing. Less would let ever
 * more in when it is this machine that is slow.
 */
const slowMs = 10_000

/**
 * Lets newcomers in a few at a time, so that a thousand who come at once cost those who are in nothing, and none of the
 * thousand is half in when its patience ends.
 *
 *   come -> waiting, in turn by address -> inside -> leave (its hello is done, or it is gone)
 *              |                             `-> longer than `slowMs`: counts no longer
 *              `-> too many, or too long -> turned away: it comes again, later
 *
 * Where too many wait, it is one of the address with the most who goes: nobody keeps others out by coming often.
 */
export function makeAdmission(
  limits: AdmissionLimits,
  { now, busy }: { now(): number; busy(): boolean },
): {
  /** `leave` is to be called when the newcomer is settled or gone; again does no harm. */
  come(newcomer: Newcomer): { leave(): void }
  /** To be called a few times a second, with what was seen since. */
  tick(seen: Omit<Seen, 'waiting'>): void
  /** Turns all away who wait. */
  close(): void
  standing(): AdmissionStanding
} {
  /** Who waits, by address; the first of the map is the next in turn. */
  const waiting = new Map<string, Ticket[]>()
  /** In the order they came in. */
  const inside = new Set<Ticket>()
  const byLoad = makePlaces(usualPlaces)
  let count = 0
  let mostEntering = 0
  let mostWaiting = 0
  let turnedAway = 0

  function come(newcomer: Newcomer) {
    const ticket: Ticket = { newcomer, since: now(), at: 'waiting' }
    const own = waiting.get(newcomer.address) ?? []
    waiting.set(newcomer.address, own)
    own.push(ticket)
    count++
    letIn()
    if (count > limits.waiting) turnAway(longest().at(-1) as Ticket)
    mostWaiting = Math.max(mostWaiting, count)
    return { leave: () => leave(ticket) }
  }

  function longest(): Ticket[] {
    let found: Ticket[] = []
    for (const line of waiting.values()) if (line.length >= found.length) found = line
    return found
  }

  function letIn(): void {
    const usual = limits.atOnce ?? byLoad.count()
    const places = busy() ? Math.min(underLoad, usual) : usual
    while (inside.size < places) {
      const [first] = waiting.values()
      const ticket = first?.[0]
      if (!ticket) return
      takeOut(ticket)
      // Its address goes to the end of the turn.
      const rest = waiting.get(ticket.newcomer.address)
      if (rest && waiting.delete(ticket.newcomer.address)) waiting.set(ticket.newcomer.address, rest)
      ticket.at = 'inside'
      ticket.since = now()
      inside.add(ticket)
      mostEntering = Math.max(mostEntering, inside.size)
      ticket.newcomer.enter()
    }
  }

  function takeOut(ticket: Ticket): void {
    const { address } = ticket.newcomer
    const line = waiting.get(address)
    const at = line?.indexOf(ticket) ?? -1
    if (!line || at < 0) return
    line.splice(at, 1)
    count--
    if (line.length === 0) waiting.delete(address)
  }

  function turnAway(ticket: Ticket): void {
    takeOut(ticket)
    ticket.at = 'gone'
    turnedAway++
    ticket.newcomer.turnAway()
  }

  function leave(ticket: Ticket): void {
    if (ticket.at === 'waiting') takeOut(ticket)
    if (ticket.at === 'inside') inside.delete(ticket)
    ticket.at = 'gone'
    letIn()
  }

  return {
    come,
    tick(seen) {
      byLoad.look({ ...seen, waiting: count })
      for (const ticket of inside) {
        if (now() - ticket.since < slowMs) break
        inside.delete(ticket)
      }
      letIn()
      for (const line of [...waiting.values()])
        for (const ticket of [...line]) {
          if (now() - ticket.since < limits.waitMs) break
          turnAway(ticket)
        }
    },
    close() {
      for (const line of [...waiting.values()]) for (const ticket of [...line]) turnAway(ticket)
    },
    standing: () => ({ entering: inside.size, waiting: count, mostEntering, mostWaiting, turnedAway }),
  }
}

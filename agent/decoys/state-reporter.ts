import { wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { DecoyState, DocumentState, Notice } from '../../shared/schemas/state.ts'
import type { Report } from '../spool/port.ts'
import type { CurrentDecoy } from './current.ts'
import type { Entry } from './entry.ts'
import { sameState, stateOf } from './standing.ts'

/** Tells the centre each state of a decoy that differs from the one before, in order. */
export function makeStateReporter(deps: { report: Report; log: Log }) {
  const states = new Map<string, DecoyState>()
  let sending: Promise<void> = Promise.resolve()
  const send = (record: DecoyState | DocumentState | Notice) => {
    sending = sending
      .then(() => deps.report('state', [record]))
      .catch((error) => deps.log.error({ why: wordsOf(error), type: record.type }, 'could not report'))
  }
  return {
    send,
    tell(entry: Entry, seen: CurrentDecoy, busy: boolean, at: string): void {
      const before = states.get(entry.decoy)
      const state = stateOf(entry, seen, busy, at)
      states.set(entry.decoy, state)
      if (before && sameState(before, state)) return
      deps.log.info({ decoy: state.decoy, ip: state.ip, phase: state.phase, reason: state.reason }, 'decoy')
      send(state)
    },
    last: (): DecoyState[] => [...states.values()],
    forget: (decoy: string) => void states.delete(decoy),
    settled: () => sending,
  }
}

import type { DecoyState } from '../../shared/schemas/state.ts'
import type { LinkStanding } from '../link/port.ts'
import type { Look } from '../updates/index.ts'
import type { RoomState } from './supervised.ts'

/** How the agent does, as a version on trial is judged by. Pure. */
export function lookOf(o: {
  link: LinkStanding
  startedAt: string
  rooms: readonly { name: string; standing(): RoomState }[]
  decoys: readonly DecoyState[]
}): Look {
  const { link } = o
  const heard = link.acknowledgedAt !== undefined && link.acknowledgedAt >= o.startedAt
  return {
    link: {
      up: link.connected && heard,
      words: link.connected ? 'connected, but nothing is acknowledged' : (link.lastError ?? 'not tried yet'),
    },
    rooms: o.rooms.map(({ name, standing }) => {
      const { state, reason } = standing()
      return { name, running: state === 'running', words: reason ?? state }
    }),
    decoys: o.decoys.map(({ decoy, phase, reason, ip }) => ({
      id: decoy,
      ready: phase === 'ready',
      words: `${ip ?? decoy} is ${phase}${reason === undefined ? '' : `: ${reason}`}`,
    })),
  }
}

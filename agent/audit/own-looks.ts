import type { Clock } from '../../shared/clock.ts'
import { parseNetwork } from '../../shared/network.ts'
import type { Vantage } from '../../shared/schemas/desired-state.ts'

/** What a decoy still sends to a place that is gone: what was not acknowledged comes again for so long. */
const echoMs = 120_000

type One = { decoy: string; from: Vantage; address: number; begunAt: number; endedAt: number | undefined }

/** Whether somebody at an address and port was an audit or a test touch of ours, at `at` (milliseconds). */
export type IsOwnLook = (decoy: string, address: number, port: number, at: number) => boolean

/**
 * Places that audits and test touches of this appliance look from, while they do: whoever observes decoys tells them from visitors
 * by them. As at the controller, decoy, address, port and time have to fit.
 */
export function makeOwnLooks({ clock }: { clock: Clock }) {
  let looks: One[] = []
  return {
    /** A look begins; call what it returns at its end. */
    begun(decoy: string, from: Vantage): () => void {
      const now = clock.now()
      const one: One = { decoy, from, address: parseNetwork(`${from.ip}/32`).first, begunAt: now, endedAt: undefined }
      looks = [...looks.filter(({ endedAt }) => endedAt === undefined || now - endedAt < echoMs), one]
      return () => {
        one.endedAt = clock.now()
      }
    },
    isOwn: ((decoy, address, port, at) =>
      looks.some(
        (one) =>
          one.decoy === decoy &&
          one.address === address &&
          port >= one.from.portFrom &&
          port <= one.from.portTo &&
          at >= one.begunAt &&
          (one.endedAt === undefined || at <= one.endedAt + echoMs),
      )) satisfies IsOwnLook,
    /** Their cards: no hosts of the segment. */
    macs: (): string[] => looks.map(({ from }) => from.mac),
  }
}

export type OwnLooks = ReturnType<typeof makeOwnLooks>

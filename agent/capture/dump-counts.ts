/**
 * What tcpdump and the kernel counted since it began, in packets of whatever kind. `received` came to the card and are all that
 * there were; `dropped` of them found no room in the kernel's buffer; those that were neither captured nor dropped wait in it.
 * `final`: it ended, and what waited then is lost as well.
 */
export type DumpCounts = { captured: number; received: number; dropped: number; final: boolean }

const part = /(\d+) packets? (captured|received by filter|dropped by kernel)/g

/**
 * tcpdump's own words on standard error: all in one line when it is asked (SIGUSR1), a line each when it ends. `read`
 * gives counts when a line made them whole.
 */
export function makeCountReader() {
  let gathered: Record<string, number> = {}
  let last: DumpCounts | undefined
  return {
    read(line: string): DumpCounts | undefined {
      const parts = [...line.matchAll(part)]
      for (const [, count, what] of parts) gathered[what as string] = Number(count)
      const { captured, 'received by filter': received, 'dropped by kernel': dropped } = gathered
      if (captured === undefined || received === undefined || dropped === undefined) return undefined
      gathered = {}
      last = { captured, received, dropped, final: parts.length === 1 }
      return last
    },
    last: () => last,
  }
}

/**
 * Packets that were missed for good so far: the kernel counts those it drops among those it received (packet(7)). At the end all
 * that did not come to the reader (`seen`) are, also one whose writing a signal broke off.
 */
export const missedBy = ({ captured, received, dropped, final }: DumpCounts, seen = captured): number =>
  final ? Math.max(dropped, received - seen) : dropped

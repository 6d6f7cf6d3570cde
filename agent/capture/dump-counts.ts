/** What tcpdump and the kernel counted since it began, in packets. `dropped`: none of them was read. */
export type DumpCounts = { captured: number; received: number; dropped: number }

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
      for (const [, count, what] of line.matchAll(part)) gathered[what as string] = Number(count)
      const { captured, 'received by filter': received, 'dropped by kernel': dropped } = gathered
      if (captured === undefined || received === undefined || dropped === undefined) return undefined
      gathered = {}
      last = { captured, received, dropped }
      return last
    },
    last: () => last,
  }
}

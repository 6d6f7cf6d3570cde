import type { KeySample } from './step-attack.ts'
import type { Stage } from './story.ts'
import { until } from './wait.ts'

type Alerts = { kind: string; subject: string; event_at: string | null; created_at: string }[]
type Blocks = { id: string }[]
type Block = { made_at: string; enforcement: { agent: string; name: string | null; enforced_at: string }[] }
type Totals = {
  name: string | null
  stream: string
  committed: number
  dead: number
  lost: number
  duplicated: number
}[]
type Status = { spool: { waiting: Record<string, number>; written: Record<string, number> } }

const agents = ['appliance-a', 'appliance-b', 'gateway']

/** From the Enter key of the line that brought an alert about to the alert, milliseconds; one for each source. */
export async function keyToAlert({ centre }: Stage, samples: readonly KeySample[]): Promise<number[]> {
  const items = await centre.ask<Alerts>('alerts', '--kind', 'risk', '--limit', '500')
  return samples.flatMap(({ source, typed }) => {
    const alert = items.find(({ subject }) => subject === source)
    if (!alert) return []
    const created = Date.parse(alert.created_at)
    // The line that brought it about: the last one typed before the decoy noted the event.
    const line = typed.filter(({ at }) => at <= Date.parse(alert.event_at ?? alert.created_at) + 1).at(-1)
    return line ? [created - line.at] : []
  })
}

/** From decision to the kernel of each agent that enforces it, milliseconds. */
export async function decisionToEnforced({ centre }: Stage): Promise<number[]> {
  const items = await centre.ask<Blocks>('blocks', 'ls')
  const all = await Promise.all(items.map(({ id }) => centre.ask<Block>('blocks', 'show', id)))
  return all.flatMap(({ made_at, enforcement }) =>
    enforcement.map(({ enforced_at }) => Date.parse(enforced_at) - Date.parse(made_at)),
  )
}

export type Records = { sent: number; committed: number; lost: number; duplicated: number }

/**
 * What the agents' spools numbered against what the database holds. The load is over, but health goes on: the sums are
 * taken in a moment in which no spool has anything waiting.
 */
export async function recordSums({ lab, centre }: Stage): Promise<Records> {
  return until('the spools to run empty', 30, async () => {
    const before = await Promise.all(agents.map((agent) => statusOf(agent)))
    const items = await centre.ask<Totals>('events', 'totals')
    const sum = (key: 'committed' | 'dead' | 'lost' | 'duplicated') => items.reduce((total, row) => total + row[key], 0)
    const sent = before.reduce((total, { spool }) => total + Object.values(spool.written).reduce((a, b) => a + b, 0), 0)
    const waiting = before.some(({ spool }) => Object.values(spool.waiting).some((n) => n > 0))
    const after = await Promise.all(agents.map((agent) => statusOf(agent)))
    if (
      waiting ||
      JSON.stringify(before.map(({ spool }) => spool.written)) !==
        JSON.stringify(after.map(({ spool }) => spool.written))
    )
      return undefined
    // A record that does not validate is kept as a dead letter: it arrived, and counts as lost to the tables.
    return { sent, committed: sum('committed'), lost: sent - sum('committed'), duplicated: await doubledRecords() }
  })

  async function statusOf(agent: string): Promise<Status> {
    const { stdout, stderr, code } = await lab.exec(agent, ['marshlight-agent', 'status', '--json'])
    if (code !== 0) throw new Error(`marshlight-agent status at ${agent}: ${stderr.trim()}`)
    return JSON.parse(stdout) as Status
  }

  /** Committed events that say the same of the same session at the same microsecond. */
  async function doubledRecords(): Promise<number> {
    const [seen, page] = [new Set<string>(), 1000]
    let [count, after] = [0, 0]
    for (;;) {
      const range = ['--after', `${after}`, '--limit', `${page}`]
      const items = await centre.ask<{ pos: number; record: unknown }[]>('events', 'ls', '--stream', 'events', ...range)
      for (const { record } of items) seen.add(JSON.stringify(record))
      count += items.length
      after = items.at(-1)?.pos ?? after
      if (items.length < page) return count - seen.size
    }
  }
}

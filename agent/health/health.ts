import { type Clock, isoNow } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { Health, Notice } from '../../shared/schemas/state.ts'
import type { Report } from '../spool/port.ts'
import type { Probe } from './probe.ts'

export type HealthDeps = {
  report: Report
  clock: Clock
  log: Log
  probes: readonly Probe[]
  everySeconds: number
  probeDeadlineMs?: number
}

/** Looks in a row that have to agree before a notice is sent: one bad moment is no news. */
const looksToChange = 2

/** Measures at intervals and reports; what turns bad, or good again, becomes one notice each. */
export function makeHealth(deps: HealthDeps): Part & { look(): Promise<Health> } {
  const { report, clock, log, probes, everySeconds, probeDeadlineMs = 5_000 } = deps
  const stopping = new AbortController()
  const told = new Map<string, boolean>()
  const streak = new Map<string, number>()
  let running: Promise<void> | undefined

  async function look(): Promise<Health> {
    const record: Health = { type: 'health', at: isoNow(clock), agentRssMb: 0, spoolMb: 0, spoolDepth: {}, probes: {} }
    const looks = await Promise.all(
      probes.map(async (probe) => ({ probe, seen: await inTime(probe, probeDeadlineMs) })),
    )
    for (const { probe, seen } of looks) {
      const { ok, detail, finding } = seen
      record.probes[probe.name] = { ok, detail: detail.slice(0, 256) }
      Object.assign(record, finding)
    }
    return record
  }

  /** Notices for what has changed for good. A probe counts as well until it was seen otherwise. */
  function changes(record: Health): Notice[] {
    return Object.entries(record.probes).flatMap(([name, { ok, detail }]): Notice[] => {
      const before = told.get(name) ?? true
      const looks = ok === before ? 0 : (streak.get(name) ?? 0) + 1
      streak.set(name, looks)
      if (looks < looksToChange) return []
      told.set(name, ok)
      streak.set(name, 0)
      const message = `${name}: ${detail}`
      return [
        {
          type: 'notice',
          at: record.at,
          level: ok ? 'info' : 'warning',
          code: ok ? 'HEALTH_GOOD' : 'HEALTH_BAD',
          message,
        },
      ]
    })
  }

  async function once(): Promise<void> {
    const record = await look()
    await report('health', [record])
    const notices = changes(record)
    if (notices.length > 0) await report('state', notices)
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await once().catch((error) => log.error({ err: error }, 'health could not be reported'))
      await clock.sleep(everySeconds * 1000, stopping.signal).catch(() => undefined)
    }
  }

  return {
    name: 'health',
    look,
    async start() {
      running = loop()
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}

/** What a probe saw. One that fails or hangs (an engine that takes the connection and never answers) is a finding, too. */
async function inTime(probe: Probe, deadlineMs: number): ReturnType<Probe['measure']> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<{ ok: false; detail: string }>((resolve) => {
    const words = { ok: false as const, detail: `no answer in ${deadlineMs / 1000} s` }
    timer = setTimeout(() => resolve(words), deadlineMs)
  })
  try {
    return await Promise.race([probe.measure(), late])
  } catch (error) {
    return { ok: false, detail: wordsOf(error) }
  } finally {
    clearTimeout(timer)
  }
}

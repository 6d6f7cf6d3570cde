import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { launcher } from './appliance.ts'
import type { Bench, Row } from './row.ts'

/** The measurement runs in a process of its own, since its agent has to have the flags that the agent is shipped with. */
export const ingestBench: Bench = {
  names: [
    'ingest.events_per_s',
    'ingest.one_event_p95',
    'ingest.agent_cpu_per_event',
    'ingest.controller_cpu_per_event',
  ],
  async run() {
    const { flags, env } = await launcher()
    const child = spawn(process.execPath, [...flags, join(import.meta.dirname, 'ingest-measure.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    })
    const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    if (code !== 0) throw new Error(`the measurement ended with ${code}`)
    return JSON.parse(printed) as Row[]
  },
}

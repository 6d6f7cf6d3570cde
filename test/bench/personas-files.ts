import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { builtPersona } from '../lab/audit-lab.ts'
import type { Bench } from './row.ts'

const measured = z.object({ ours: z.number(), stock: z.number(), ours_ms: z.number(), stock_ms: z.number() })

/**
 * What a session that writes costs a decoy: private memory that it keeps, and how long its writes hold up everybody else.
 * In the decoy's image, on its tree; the reference is stock Cowrie in the same process, which copies its whole tree.
 */
export const personasFilesBench: Bench = {
  names: ['decoy.write_session_memory', 'decoy.write_session_stall'],
  run: async () => {
    const child = spawn(
      'docker',
      [
        ...['run', '--rm', '-i', '--network', 'none', '--read-only', '--user', '2600:2600'],
        ...['-v', `${join(import.meta.dirname, 'write-session.py')}:/bench.py:ro`],
        ...['--entrypoint', 'python3', 'marshlight/cowrie:dev', '-P', '/bench.py'],
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    child.stdin.end(JSON.stringify(await builtPersona('debian-12', 'db01')))
    const [said, [status]] = await Promise.all([text(child.stdout), once(child, 'close')])
    if (status !== 0) throw new Error(`the measuring container ended with ${status}`)
    const { ours, stock, ours_ms, stock_ms } = measured.parse(JSON.parse(said))
    const lower = { better: 'lower' as const }
    return [
      { name: 'decoy.write_session_memory', value: ours, unit: 'MB', ...lower, target: 0.5, reference: stock },
      { name: 'decoy.write_session_stall', value: ours_ms, unit: 'ms', ...lower, target: null, reference: stock_ms },
    ]
  },
}

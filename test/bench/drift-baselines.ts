import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { baselineOf, makeBaselineProjector } from '../../controller/baselines/index.ts'
import { migrations } from '../../controller/serve/database.ts'
import { openSqlite } from '../../controller/store/sqlite.ts'
import { newId } from '../../shared/ids.ts'
import { seededRandom } from '../../shared/random.ts'
import type { FeatureWindow } from '../../shared/schemas/observation.ts'
import type { Bench } from './row.ts'

const decoys = 300
const rounds = 8
/** Of a minute's windows these saw somebody; the others saw nobody, as most of a decoy's do. */
const visited = 0.2
const startedAt = Date.parse('2026-01-05T00:00:00Z')

/**
 * A minute's windows of 300 decoys whose samples are full, committed together as the controller does: its time for each
 * window, and for the question what one decoy is expected to do.
 */
export const driftBaselinesBench: Bench = {
  names: ['baselines.window_ms', 'baselines.ask_ms'],
  async run(progress) {
    const folder = await mkdtemp(join(tmpdir(), 'marshlight-baselines-'))
    const store = openSqlite(join(folder, 'db.sqlite'), migrations)
    try {
      const random = seededRandom('baselines bench')
      const agent = newId(startedAt)
      const ids = Array.from({ length: decoys }, (_, i) => newId(startedAt + i))
      const segment = newId(startedAt)
      await store.tx(async (sql) => {
        for (const [i, id] of ids.entries())
          await sql.run(
            `INSERT INTO decoys (id, segment, agent, cidr, ip, mac, hostname, persona, persona_version, status, origin, created_at, changed_at, reason)
             VALUES (?, ?, ?, '198.18.0.0/16', '198.18.0.9', ?, 'd', ?, 1, 'wanted', 'admin', '', '', '')`,
            id,
            segment,
            agent,
            `mac ${i}`,
            id,
          )
      })
      const projector = makeBaselineProjector({ random })
      let pos = 0
      const minute = async (n: number, busy: number) => {
        const at = new Date(startedAt + (n + 1) * 60_000).toISOString()
        const windows = ids.map((decoy) => windowAt(at, decoy, random() < busy ? 200 : 0, random))
        await store.tx((sql) =>
          projector.project(
            sql,
            windows.map((record) => ({ pos: ++pos, agent, stream: 'features' as const, receivedAt: at, record })),
          ),
        )
      }
      for (let n = 0; n < 4; n++) await minute(n, 1)
      progress(`${decoys} decoys have full samples`)
      const begun = performance.now()
      for (let n = 0; n < rounds; n++) await minute(60 + n, visited)
      const each = (performance.now() - begun) / (rounds * decoys)
      const asked = performance.now()
      for (const decoy of ids) await baselineOf(store, { decoy, port: 22 }, 1)
      const ask = (performance.now() - asked) / decoys
      progress(`${each.toFixed(3)} ms a window, ${ask.toFixed(3)} ms a question`)
      return [
        { name: 'baselines.window_ms', value: each, unit: 'ms', better: 'lower', target: 2, reference: null },
        { name: 'baselines.ask_ms', value: ask, unit: 'ms', better: 'lower', target: 10, reference: null },
      ]
    } finally {
      await store.close()
      await rm(folder, { recursive: true, force: true })
    }
  },
}

function windowAt(at: string, decoy: string, n: number, random: () => number): FeatureWindow {
  const sample = (unit: 'ms' | 'bytes') => ({
    form: 'sample' as const,
    unit,
    n,
    values: Array.from({ length: n }, () => 100 * random()),
  })
  return {
    type: 'window',
    at,
    seconds: 60,
    subject: { kind: 'decoy', decoy, port: 22 },
    service: 'ssh',
    profile: {
      'session.rate': { form: 'rate', count: n > 0 ? 1 : 0, seconds: 60 },
      'request.rate': { form: 'rate', count: n, seconds: 60 },
      'response.delay': sample('ms'),
      'request.size': sample('bytes'),
      'response.size': sample('bytes'),
      interarrival: sample('ms'),
      'error.share': { form: 'share', part: 0, of: n },
      'client.kind': { form: 'mix', counts: n > 0 ? { openssh: 1 } : {} },
    },
    drift: 'none',
    missed: 0,
  }
}

import t from 'tap'
import { type Previewed, showPreview } from '../../../controller/cli/commands/drift-preview.ts'
import type { CliContext } from '../../../controller/cli/context.ts'
import { detailsText, tableText } from '../../../controller/cli/print.ts'
import { effectAt, effectWords, type Reach } from '../../../controller/drift/index.ts'
import type { DriftEffect } from '../../../shared/schemas/drift.ts'

const hours = [23, 0, 1, 5, 8, 11, 14, 20]
const effects: DriftEffect[] = [
  { type: 'latency', form: 'jitter', ms: 1234.5, spread: 0.7 },
  ...(['refused', 'reset', 'busy', 'timeout', 'disk'] as const).map(
    (kind): DriftEffect => ({ type: 'error', kind, share: 0.0625 }),
  ),
  { type: 'alteration', what: 'listing', share: 0.125 },
  { type: 'schedule', hours },
]
const delay = { feature: 'handshake.delay', before: '1230 ms, 90 % below 1980', after: '2470 ms, 90 % below 3960' }

t.test('the longest preview fits 80 columns, and no word of it is cut', async (t) => {
  const written: string[] = []
  const line = (text: string) => void written.push(text)
  const cli = {
    line,
    details: (pairs: Parameters<typeof detailsText>[0]) => line(detailsText(pairs)),
    table: (columns: string[], rows: string[][]) => line(tableText(columns, rows, 80)),
  }
  const ports = (['cowrie', 'tcp', 'udp'] as const satisfies Reach[]).map((reach, i) => ({
    port: 65_500 + i,
    service: 'postgres',
    reach,
    effects: effects.map((effect) => ({ words: effectWords(effect), here: effectAt(effect, reach) })),
    baseline: { from: 'service', windows: 12_345, features: [{ ...delay, rests: '12345', same: false }] },
  }))
  const one = {
    decoy: 'd'.repeat(36),
    hostname: 'h'.repeat(63),
    ip: '198.18.255.255',
    source: '198.18.255.254',
    drift: { seed: 's'.repeat(64), effects },
    relativeTo: 65_500,
    ports,
  }
  showPreview(cli as unknown as CliContext, one as Previewed)
  const text = written.join('\n')
  for (const one of text.split('\n')) t.ok([...one].length <= 80, one)
  t.notMatch(text, '…')
  t.match(text.slice(text.indexOf('/udp')), /reset \(nothing\s+at this port\)/)
  t.match(
    text.slice(text.indexOf('/udp')),
    /new connections\s+are\s+refused\s+\(here\s+as\s+a\s+closed\s+port,\s+told\s+by\s+ICMP\)/,
  )
})

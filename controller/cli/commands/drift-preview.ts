import type { Drift } from '../../../shared/schemas/drift.ts'
import type { ShownPort } from '../../api/routes/drift-shown.ts'
import type { CliContext } from '../context.ts'
import { wrapped } from '../print.ts'

export type Previewed = {
  decoy: string
  hostname: string
  ip: string
  source?: string
  drift: Drift
  /** The port whose answers the intensity is relative to. */
  relativeTo?: number
  ports: ShownPort[]
}

const known = {
  own: 'as it was seen without drift',
  service: 'as real services of its kind are, since too little was seen of its own',
  none: 'nothing is known yet of how it behaves',
} as const

export function showPreview(cli: CliContext, one: Previewed): void {
  const relative =
    one.relativeTo === undefined
      ? 'no baseline is known: answers are taken to come within 20 ms'
      : `relative to the answers of port ${one.relativeTo}`
  cli.details([
    ['decoy', one.hostname],
    ['address', one.ip],
    ['for', one.source ?? 'everyone'],
    ['numbers', relative],
    ['seed', one.drift.seed],
  ])
  showPorts(cli, one.ports, 'both')
  cli.line('')
  cli.line('Nothing was changed.')
}

/** Each port: what the effects do there, and what is expected; with `both`, also what is expected now. */
export function showPorts(cli: CliContext, ports: readonly ShownPort[], columns: 'both' | 'after'): void {
  for (const { port, service, reach, effects, baseline } of ports) {
    cli.line('')
    cli.line(wrapped(`${service}, port ${port}${reach === 'udp' ? '/udp' : ''}`, 4))
    for (const { words, here } of effects) {
      const added = here === undefined ? ' (nothing at this port)' : here === '' ? '' : ` (here ${here})`
      cli.line(wrapped(`  - ${words}${added}`, 4))
    }
    const { from, windows, features } = baseline
    cli.line(wrapped(`  ${known[from]}${from === 'none' ? '' : `, ${windows} windows`}`, 4))
    if (features.length === 0) continue
    if (columns === 'both')
      cli.table(
        ['FEATURE', 'NOW', 'THEN', 'OF'],
        features.map((one) => [one.feature, one.before, one.same ? 'the same' : one.after, one.rests]),
      )
    else
      cli.table(
        ['FEATURE', 'EXPECTED', 'OF'],
        features.map((one) => [one.feature, one.after, one.rests]),
      )
  }
}
